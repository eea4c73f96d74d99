"""What is done to many jobs at once: each is judged for itself, and what fails for one is no reason for the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from django import forms
from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.jobs.tags import NAME_LENGTH, Tag
from dashboard.library.models import Role
from dashboard.listing.fields import RowsField
from dashboard.messages import explain
from dashboard.messages.sharing import REFUSED
from dashboard.retiring.removing import remove_job
from tuning.errors import ServiceError, Unavailable

MOST = 500
"""Jobs at once."""


class Action(TextChoices):
    CANCEL = "cancel"
    DELETE = "delete"
    TAG = "tag"
    UNTAG = "untag"
    COMPARE = "compare"


NEEDED = {Action.CANCEL: Role.WRITER, Action.DELETE: Role.OWNER, Action.TAG: Role.WRITER, Action.UNTAG: Role.WRITER}
"""The role on a job without which nobody does that to it."""


class BulkForm(forms.Form):
    """Which jobs, and what is to be done to them. Those that the person may not see are none of them."""

    action = forms.ChoiceField(choices=Action.choices)
    job = RowsField(Job.objects.none())
    tag = forms.CharField(required=False, max_length=NAME_LENGTH)
    sure = forms.BooleanField(required=False)

    def __init__(self, user: User, data: object) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.user = user
        self.fields["job"].queryset = Job.objects.visible_to(user)  # type: ignore[attr-defined]

    def clean_tag(self) -> str:
        tag: str = self.cleaned_data["tag"]
        if not tag and self.cleaned_data.get("action") in (Action.TAG, Action.UNTAG):
            raise forms.ValidationError(_("Write the tag first."))
        return tag

    def request(self) -> "BulkRequest":
        """What was asked for."""
        asked = self.cleaned_data
        jobs = asked["job"].select_related("connection", "owner", "dataset_version__dataset").order_by("-created")
        action = Action(asked["action"])
        role = NEEDED.get(action, Role.READER)
        allowed = set(jobs.with_role(self.user, role).values_list("pk", flat=True))
        chosen = list(jobs[:MOST])
        return BulkRequest(
            action=action,
            jobs=[job for job in chosen if job.pk in allowed],
            tag=asked["tag"],
            sure=asked["sure"],
            refused=[(job, str(REFUSED[role])) for job in chosen if job.pk not in allowed],
        )


@dataclass(frozen=True, slots=True)
class BulkRequest:
    action: Action
    jobs: Sequence[Job]
    tag: str = ""
    sure: bool = False
    refused: Sequence[tuple[Job, str]] = ()
    """Jobs that were chosen, and why it is not for this person to do that to them."""

    @property
    def meant(self) -> list[Job]:
        """The jobs on which it has an effect: what has ended cannot be cancelled."""
        if self.action is Action.CANCEL:
            return [job for job in self.jobs if not job.is_final]
        return list(self.jobs)

    @property
    def asks_first(self) -> bool:
        return self.action in (Action.CANCEL, Action.DELETE) and not self.sure

    def do(self, by: User) -> "Outcome":
        """Do it for ``by``, job by job."""
        outcome = self._done(by)
        outcome.failed += self.refused
        return outcome

    def _done(self, by: User) -> "Outcome":
        match self.action:
            case Action.CANCEL:
                return _each(self.meant, partial(_cancel, by))
            case Action.DELETE:
                return _each(self.meant, lambda job: remove_job(job, by, by))
            case _:
                self._tag(by)
        return Outcome(done=len(self.jobs))

    @transaction.atomic
    def _tag(self, by: User) -> None:
        puts_on = self.action is Action.TAG
        change = Tag.objects.put_on if puts_on else Tag.objects.take_off
        change(self.jobs, self.tag)
        for job in self.jobs:
            audit.record(by, "job.tagged" if puts_on else "job.untagged", job, tag=self.tag)


@dataclass(slots=True)
class Outcome:
    """For how many jobs it worked, and why not for the others."""

    done: int = 0
    failed: list[tuple[Job, str]] = field(default_factory=list)


def said(request: BulkRequest, outcome: Outcome) -> str:
    """What was done, as a sentence; empty where nothing was."""
    if not outcome.done:
        return ""
    sentence = {
        Action.CANCEL: ngettext("%(count)s job was cancelled.", "%(count)s jobs were cancelled.", outcome.done),
        Action.DELETE: ngettext(
            "%(count)s job was deleted. Its model, if it had one, is in the bin.",
            "%(count)s jobs were deleted. Their models are in the bin.",
            outcome.done,
        ),
        Action.TAG: ngettext("%(count)s job bears “%(tag)s”.", "%(count)s jobs bear “%(tag)s”.", outcome.done),
        Action.UNTAG: ngettext(
            "“%(tag)s” was taken off %(count)s job.", "“%(tag)s” was taken off %(count)s jobs.", outcome.done
        ),
    }[request.action]
    return sentence % {"count": outcome.done, "tag": request.tag}


def failures(outcome: Outcome) -> str:
    """For which jobs it did not work and why, as a sentence; empty where it worked for all."""
    if not outcome.failed:
        return ""
    reasons = "; ".join(f"“{job}”: {why}" for job, why in outcome.failed[:5])
    more = "; …" if len(outcome.failed) > 5 else ""
    sentence = ngettext(
        "It did not work for %(count)s job: %(reasons)s",
        "It did not work for %(count)s jobs: %(reasons)s",
        len(outcome.failed),
    )
    return sentence % {"count": len(outcome.failed), "reasons": reasons + more}


def _cancel(by: User, job: Job) -> bool:
    if cancelled := job.cancel():
        audit.record(by, "job.cancelled", job)
    return cancelled


def _each(jobs: Sequence[Job], verb: Callable[[Job], object]) -> Outcome:
    """What has ended meanwhile says False. A service that does not answer once is asked no further: each time takes as
    long as it may.
    """
    outcome, silent = Outcome(), dict[int, str]()
    for job in jobs:
        if job.ref and job.connection_id in silent:
            outcome.failed.append((job, silent[job.connection_id]))
            continue
        try:
            ended = verb(job) is False
        except Unavailable as error:
            silent[job.connection_id] = explain(error).title
            outcome.failed.append((job, silent[job.connection_id]))
        except ServiceError as error:
            outcome.failed.append((job, explain(error).title))
        else:
            if ended:
                outcome.failed.append((job, _("it had ended already")))
            else:
                outcome.done += 1
    return outcome
