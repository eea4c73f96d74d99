"""What administrators ask of a service with machines of one's own: how they are, who waits, what can be tuned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from tuning.providers.base import JobRef


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process of a tuner's. ``kind`` is ``training``, ``warm``, ``inference`` or ``preparation``; memory in bytes.

    ``model`` is the tuned model that it makes, ``base`` the base model it has to do with; either may be empty.
    """

    kind: str
    memory: int
    model: str = ""
    base: str = ""
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tuner:
    """A tuner and its machine, as it last spoke of them at ``heartbeat``; sizes are in bytes."""

    name: str
    host: str
    alive: bool
    slots: int
    threads: int
    """How many compute each job."""
    started: datetime
    heartbeat: datetime
    memory: int
    free_memory: int
    disk: int
    free_disk: int
    processes: tuple[Process, ...] = ()

    @property
    def busy(self) -> int:
        """Slots in which a job runs."""
        return sum(process.kind == "training" for process in self.processes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A waiting job, as far as its place goes."""

    model: str
    display_name: str
    owner: str
    base_model: str
    priority: int
    expected_start: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineState:
    """All tuners that are known of, and the queue; ``next`` are the first of those who wait."""

    version: str
    tuners: tuple[Tuner, ...]
    waiting: int
    running: int
    next: tuple[Turn, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledBase:
    """A base model that a service has, or could have. ``bytes`` on disk and ``parameters`` are 0 where unknown.

    ``state`` is ``ready``, ``preparing``, ``absent`` or ``failed`` (why: ``failure``, a code); ``fits`` is ``fits``,
    ``tight``, ``does_not_fit`` or, where nobody can tell, empty.
    """

    name: str
    display_name: str
    state: str
    licence: str = ""
    parameters: int = 0
    bytes: int = 0
    preparing: int | None = None
    failure: str = ""
    failure_detail: str = ""
    fits: str = ""
    tuning_bytes: int = 0
    """Memory that tuning it takes."""
    removable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBase:
    """A base model to be made ready: from ``folder`` on the service's machine, or a known one by its name alone."""

    name: str
    folder: str = ""
    display_name: str = ""
    licence: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class InQueue:
    """A job that is tuned or waits. ``model`` and what follows it is empty where the person may not see the job.

    ``place`` 1 is next, 0 is under way; ``expected`` is its end where it is under way, else its start.
    """

    total_steps: int
    completed_steps: int
    place: int = 0
    expected: datetime | None = None
    started: datetime | None = None
    model: str = ""
    display_name: str = ""
    owner: str = ""
    base_model: str = ""
    priority: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """Who is tuned for, and whose turns come next; ``waiting`` counts all."""

    waiting: int
    running: tuple[InQueue, ...]
    next: tuple[InQueue, ...]


@runtime_checkable
class Queue(Protocol):
    """What a provider may be besides: a service whose jobs wait for one another, and that tells in which order."""

    def queue(self) -> QueueState:
        """The queue as this person may see it."""

    def withdraw(self, model: str) -> bool:
        """Stop the job of ``model``, also one that was not made here. False when it had ended already."""


@runtime_checkable
class Retrier(Protocol):
    """What a provider may be besides: a service that takes a job up again which ended badly."""

    def retry(self, ref: JobRef) -> bool:
        """Queue a job again that failed or was cancelled. True when it goes on from where it was, and not anew.

        Raises ``FailedPrecondition`` where it can no longer be run, ``NotFound`` where it is gone.
        """


@runtime_checkable
class EngineRoom(Protocol):
    """What a provider may be besides: a service whose machines can be looked at. All raise ``PermissionDenied`` for
    people who are no administrators.
    """

    def engine(self) -> EngineState:
        """How the machines are, and who waits."""

    def prioritise(self, model: str, priority: int) -> None:
        """Let the job of ``model`` go before those of a lower priority; 0 is everybody's.

        Raises ``FailedPrecondition`` where it has ended.
        """

    def installed_bases(self) -> tuple[Sequence[InstalledBase], Sequence[str]]:
        """The base models, and the names of the folders that one could be added from."""

    def add_base(self, base: NewBase) -> None:
        """Have a base model made ready. Raises ``InvalidRequest``, ``FailedPrecondition`` or ``AlreadyExists``."""

    def remove_base(self, name: str) -> None:
        """Remove a base model that nothing needs. Raises ``FailedPrecondition`` where something does."""


@runtime_checkable
class UsageTeller(Protocol):
    """What a provider may be besides: a service that tells which models are in use."""

    def uses(self, within: timedelta) -> Mapping[str, datetime]:
        """When those of this person's own models that were asked so lately were last asked: by whomever, from
        wherever, to the minute.
        """
