"""What stands around every page is kept as written, and is still each person's and each room's own."""

import pytest
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_rooms_and_keys_are_those_of_who_looks_and_where(browser: Client) -> None:
    administrator = Client()
    administrator.force_login(UserFactory(is_administrator=True))
    for _ in range(2):
        for client, is_administrator in ((administrator, True), (browser, False)):
            for room in ("/datasets/", "/queue/"):
                page = client.get(room).content.decode()
                assert page.count('href="/engine/"') == (2 if is_administrator else 0)
                assert page.count('data-key="g e"') == (1 if is_administrator else 0)
                current = page.split('aria-current="page"')
                assert len(current) == 2
                assert current[0].rpartition("<a ")[2].startswith(f'href="{room}"')
