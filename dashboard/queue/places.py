"""Places in the queue: what it shows of each connection, and by which priorities a job comes to another place."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboard.accounts.models import User
from dashboard.audit import Thing
from dashboard.connections.models import Connection
from dashboard.engine.forms import HIGHEST
from dashboard.jobs.models import Job
from dashboard.messages import explain
from dashboard.queue.asking import state
from tuning.errors import ServiceError
from tuning.providers import InQueue, Queue


class Way(StrEnum):
    UP = "up"
    DOWN = "down"
    FIRST = "first"
    BACK = "back"
    """To where its turn is."""


@dataclass(frozen=True, slots=True)
class Place:
    """A job in the queue and, where the person may see it, what the dashboard knows of it."""

    told: InQueue
    job: Job | None

    @property
    def is_known(self) -> bool:
        """Whether the person may be told which job it is."""
        return bool(self.told.model)

    @property
    def model_id(self) -> str:
        return self.told.model.removeprefix("tunedModels/")


@dataclass(frozen=True, slots=True)
class Line:
    """The queue of one connection; ``silent`` says why it is not known."""

    connection: Connection
    waiting: int = 0
    running: Sequence[Place] = ()
    next: Sequence[Place] = ()
    silent: str = ""


def lines(user: User) -> list[Line]:
    """The queues of all connections that have one, as ``user`` may see them."""
    found = []
    for connection in Connection.objects.usable_by(user):
        provider = connection.open_for(user)
        if isinstance(provider, Queue):
            try:
                told = state(user, connection, provider)
            except ServiceError as error:
                found.append(Line(connection, silent=explain(error).title))
                continue
            jobs = _jobs(user, connection)
            running, waiting = ([Place(one, jobs.get(one.model)) for one in many] for many in (told.running, told.next))
            found.append(Line(connection, told.waiting, running, waiting))
    return found


def facts(found: Sequence[Line]) -> list[object]:
    """What the room shows; when a job is expected, in steps of a minute."""
    return [
        (line.connection.pk, line.waiting, line.silent, [_facts(place.told) for place in (*line.running, *line.next)])
        for line in found
    ]


def rearranged(waiting: Sequence[InQueue], model: str, way: Way) -> dict[str, int]:
    """The priorities that must change for ``model`` to come to its new place, and no other job to another one.

    Those before its place rise as far as is needed to stay there. Raises ``ValueError`` where it does not wait, or no
    priority is high enough.
    """
    order = [turn.model for turn in waiting]
    have = {turn.model: turn.priority for turn in waiting}
    place = order.index(model)
    if way is Way.BACK:
        return {model: 0}
    if way is Way.DOWN:  # as if the one behind it went up
        place += 1
    goal = 0 if way is Way.FIRST else max(place - 1, 0)
    if goal == place or place == len(order):
        return {}
    order.insert(goal, order.pop(place))
    return _raised(order, have, goal)


def known(connection: Connection, model: str) -> Job | Thing:
    """What the audit log calls the job of ``model``."""
    job = Job.objects.filter(connection=connection, ref__startswith=f"{model}/operations/").first()
    return job or Thing("model", model, model)


def _raised(order: Sequence[str], have: dict[str, int], last: int) -> dict[str, int]:
    """What lets the models as far as ``last`` stand in ``order`` before all others, each above the next."""
    needed = max((have[model] for model in order[last + 1 :]), default=0) + 1
    changed = {}
    for model in reversed(order[: last + 1]):
        priority = max(have[model], needed)
        needed = priority + 1
        if priority != have[model]:
            changed[model] = priority
    if any(priority > HIGHEST or not model for model, priority in changed.items()):
        raise ValueError("no priority is high enough")
    return changed


def _jobs(user: User, connection: Connection) -> dict[str, Job]:
    """The unfinished jobs that ``user`` may see, by their models' names."""
    jobs = Job.objects.visible_to(user).unfinished().filter(connection=connection).exclude(ref="")
    seen = jobs.select_related("dataset_version__dataset").defer("samples", "findings", "small_curve")
    return {job.ref.partition("/operations/")[0]: job for job in seen}


def _facts(told: InQueue) -> tuple[object, ...]:
    expected = told.expected and int(told.expected.timestamp()) // 60
    return told.model, told.place, told.completed_steps, told.priority, expected
