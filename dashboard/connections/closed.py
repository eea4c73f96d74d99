"""What somebody is given in place of a service that they may not use."""

from collections.abc import Sequence
from typing import Any, NoReturn

from tuning.errors import PermissionDenied
from tuning.jobs import JobStatus, Point
from tuning.providers import Answer, BaseModel, Capabilities, JobRef, JobSpec, Prompt


class Closed:
    """A provider that asks nobody: every method raises ``PermissionDenied("connection_closed")``."""

    capabilities = Capabilities()

    def base_models(self) -> Sequence[BaseModel]:
        self._refuse()

    def create(self, spec: JobSpec) -> JobRef:
        self._refuse(spec)

    def status(self, ref: JobRef) -> JobStatus:
        self._refuse(ref)

    def points(self, ref: JobRef, after: int = 0) -> Sequence[Point]:
        self._refuse(ref, after)

    def refresh(self, ref: JobRef, after: int = 0) -> tuple[JobStatus, Sequence[Point]]:
        self._refuse(ref, after)

    def cancel(self, ref: JobRef) -> None:
        self._refuse(ref)

    def delete(self, ref: JobRef) -> None:
        self._refuse(ref)

    def generate(self, model: str, prompt: Prompt) -> Answer:
        self._refuse(model, prompt)

    def _refuse(self, *_asked: Any) -> NoReturn:
        raise PermissionDenied("connection_closed")
