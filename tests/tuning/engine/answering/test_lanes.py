"""Who is answered next, and where."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest

from tests.tuning.engine.running import until
from tuning.engine.answering import lanes
from tuning.engine.answering.lanes import SLOTS, WIDE, Lanes, Ticket

TOKENS = 1000


@dataclass
class Question:
    """Somebody who asks in a thread of their own, and stays until told to go."""

    ticket: Ticket
    here: bool = True
    done: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)

    @property
    def lane(self) -> int | None:
        return self.ticket.lane

    def run(self, house: Lanes) -> None:
        with house.place(self.ticket, lambda: self.here) as lane:
            if lane is not None:
                self.done.wait(20)
        self.ended.set()

    def go(self) -> None:
        self.done.set()
        assert self.ended.wait(20)


Ask = Callable[..., Question]


def knows(house: Lanes, ticket: Ticket) -> bool:
    """Whether the ticket was placed, or has to wait."""
    with house._changed:
        return ticket in [*house._running, *house._waiting]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """``ask("model", by="ada")``: a question, placed or waiting by now."""
    house = Lanes()
    with ExitStack() as leaving:

        def asked(model: str, *, by: str = "ada", tokens: int = 10) -> Question:
            question = Question(Ticket(model, tokens, TOKENS, by))
            Thread(target=question.run, args=(house,), daemon=True).start()
            leaving.callback(question.done.set)
            until(lambda: knows(house, question.ticket))
            return question

        yield asked


def test_one_model_alone_has_all_threads(ask: Ask) -> None:
    assert [ask("a").lane for _ in range(SLOTS + 1)] == [WIDE] * SLOTS + [None]


def test_several_models_have_a_lane_each_and_their_answers_stay_together(ask: Ask) -> None:
    first = ask("a")
    beside, later = ask("b"), ask("a")
    assert (beside.lane, later.lane, ask("b").lane) == (1, None, 1)  # two lanes at once
    first.go()

    until(lambda: later.lane == 2)
    assert (ask("a").lane, ask("b").lane, ask("c").lane) == (2, 1, None)


def test_who_is_alone_again_has_all_threads_again(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = ask("a"), ask("b")
    monkeypatch.setattr(lanes, "LATELY", 0.0)
    first.go()

    assert ask("b").lane == WIDE
    assert other.lane == 1


def test_where_several_were_asked_lately_the_first_leaves_half_of_the_threads_to_the_next(ask: Ask) -> None:
    ask("a").go()
    assert [ask(model).lane for model in "bbaab"] == [1, 1, 2, 2, 1]


def test_a_lane_never_promises_more_tokens_than_it_has(ask: Ask) -> None:
    large = ask("a", tokens=2 * TOKENS - 15)
    assert [ask("a", tokens=10).lane, ask("a", tokens=10).lane] == [WIDE, None]
    large.go()


def test_people_take_turns(ask: Ask) -> None:
    """Sixty-four questions of one person's, and then one of another's: it is the next."""
    first, *_ = many = [ask("a") for _ in range(64)]
    other = ask("a", by="grace")
    assert other.lane is None
    first.go()

    until(lambda: other.lane == WIDE)
    assert sum(question.lane is not None for question in many) == SLOTS


def test_a_question_that_waited_is_overtaken_no_longer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ask("a"), ask("b")
    third = ask("c")
    assert (third.lane, ask("b").lane) == (None, 1)

    monkeypatch.setattr(lanes, "PATIENCE", 0.0)
    assert ask("b").lane is None
    for question in (first, second):
        question.go()

    until(lambda: third.lane is not None)


def test_room_that_comes_free_at_once_is_shared(ask: Ask) -> None:
    whole = ask("a", by="alan", tokens=2 * TOKENS)
    many = [ask("a") for _ in range(10)]
    others = [ask("a", by="grace") for _ in range(10)]
    whole.go()

    assert [sum(question.lane == WIDE for question in waiting) for waiting in (many, others)] == [4, 4]


def test_who_leaves_while_waiting_is_out_of_the_way(ask: Ask) -> None:
    running = [ask("a", tokens=2 * TOKENS)]
    gone = ask("a", tokens=2 * TOKENS)
    gone.here = False
    assert gone.ended.wait(5)

    running[0].go()
    assert ask("a").lane == WIDE
    assert gone.lane is None
