"""The statement by which the dashboard speaks for a person."""

import threading
import time
from pathlib import Path

import jwt
import pytest

from tuning import assertions
from tuning.assertions import Identity
from tuning.errors import Unauthenticated

SECRET = "s" * 48
ALICE = Identity(email="alice@example.com", teams=("red",), administrator=True)


def test_assertion_says_who_is_asking() -> None:
    assert assertions.verify(assertions.issue(ALICE, SECRET), SECRET) == ALICE


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"exp": int(time.time()) - 60},
        {"sub": None},
    ],
)
def test_assertion_that_is_not_for_us_or_too_old_is_refused(claims: dict[str, object]) -> None:
    good = {"aud": assertions.AUDIENCE, "exp": int(time.time()) + 60, "sub": "alice@example.com"}
    changed = {name: value for name, value in (good | claims).items() if value is not None}
    with pytest.raises(Unauthenticated):
        assertions.verify(jwt.encode(changed, SECRET, algorithm="HS256"), SECRET)


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_assertion_of_another_algorithm_is_refused(algorithm: str) -> None:
    claims = {"aud": assertions.AUDIENCE, "exp": int(time.time()) + 60, "sub": "alice@example.com"}
    token = jwt.encode(claims, None if algorithm == "none" else "s" * 64, algorithm=algorithm)
    with pytest.raises(Unauthenticated):
        assertions.verify(token, "s" * 64)


def test_forged_assertion_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        assertions.verify(assertions.issue(ALICE, "t" * 48), SECRET)


def test_secret_is_one_however_many_ask_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNING_SECRET", raising=False)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(assertions.shared_secret(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) >= 48
    assert (tmp_path / "tuning.secret").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["tuning.secret"]
