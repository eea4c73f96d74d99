"""When a child that says nothing is given up."""

import pytest

from tuning.server.tuner import silence
from tuning.server.tuner.silence import Silence


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(silence.time, "monotonic", lambda: self.now)

    def pass_by(self, seconds: float, watched: Silence, every: float = 0.5) -> bool:
        """Whether the silence lasted too long at some time, asked at each turn."""
        found = []
        for _ in range(round(seconds / every)):
            self.now += every
            found.append(watched.too_long())
        return any(found)


def test_silence_is_too_long_once_it_has_lasted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    watched = Silence(60)
    assert not clock.pass_by(60, watched)
    assert clock.pass_by(1, watched)


def test_every_word_begins_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    watched = Silence(60)
    for _ in range(3):
        assert not clock.pass_by(50, watched)
        watched.broken()


def test_a_tuner_that_was_away_for_an_hour_gives_the_child_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    watched = Silence(60)
    assert not clock.pass_by(3600, watched, every=3600)
    assert clock.pass_by(60, watched)


def test_no_limit_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Clock(monkeypatch).pass_by(10_000, Silence(0))
