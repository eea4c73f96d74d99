"""What is shown when something breaks that nobody foresaw."""

import errno

import pytest
from django.db import OperationalError
from django.test import RequestFactory
from django.urls import get_resolver


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507, "The disk is full"),
        (OperationalError("database or disk is full"), 507, "The disk is full"),
        (ZeroDivisionError("secret of the inside"), 500, "Something broke"),
    ],
)
def test_page_says_what_broke_and_no_more(rf: RequestFactory, error: Exception, status: int, said: str) -> None:
    handler = get_resolver().resolve_error_handler(500)
    try:
        raise RuntimeError("while saving") from error
    except RuntimeError:
        answer = handler(rf.get("/"))
    assert answer.status_code == status
    assert said in answer.content.decode()
    assert "secret" not in answer.content.decode()
