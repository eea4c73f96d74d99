"""What the adviser says of a job: looked for now and then while it is tuned, kept with it, and told to people."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dashboard.messages import explain_finding, name_change, name_finding
from tuning import curves
from tuning.jobs import JobState

if TYPE_CHECKING:
    from dashboard.jobs.models import Job

LOOKS = 50
"""The whole series is read for advice: so often in a job at most, besides once a minute and at its end."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words. ``query`` is what the address of the next job's form adds, ``change`` the same in words."""

    code: str
    label: str
    """One or two words, to stand in the curve."""
    title: str
    advice: str
    first_step: int
    last_step: int
    change: str = ""
    query: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.title}. {self.advice}"


def mark(job: "Job") -> tuple[object, ...]:
    """Changes whenever the curve is to be looked at again."""
    minute = job.last_step_at and int(job.last_step_at.timestamp() // 60)
    share = LOOKS * job.completed_steps // max(job.total_steps, 1)
    known = any(finding["code"] == "not_finite" for finding in job.findings)
    broken = not known and bool(job.completed_steps) and job.last_loss is None
    return job.state, job.attempt, minute, share, broken, len(job.validation)


def renew(job: "Job") -> None:
    """Look at the whole curve; saving the job is for the caller."""
    found = curves.advise(
        curves.arrays(job.series()),
        recipe=job.recipe,
        examples=job.learnt_from,
        validation=job.validation,
        ended=job.state == JobState.SUCCEEDED,
    )
    job.findings = [asdict(finding) for finding in found]


def told(job: "Job") -> list[Told]:
    """What was found, in words."""
    return [_told(finding) for finding in job.findings]


def _told(finding: Mapping[str, Any]) -> Told:
    message = explain_finding(finding["code"], finding["params"], changes=bool(finding["changes"]))
    changes: Mapping[str, Any] = finding["changes"]
    return Told(
        code=finding["code"],
        label=name_finding(finding["code"]),
        title=message.title,
        advice=message.advice,
        first_step=finding["first_step"],
        last_step=finding["last_step"],
        change=", ".join(name_change(name, value) for name, value in changes.items()),
        query=urlencode(changes),
    )
