"""What somebody may do with a job: its owner and administrators everything; others what the role on its model says.

Examples stay with whoever may see their dataset, but for the few held-out ones that writers see answered.
"""

from dataclasses import dataclass
from functools import cached_property

from django.core.exceptions import PermissionDenied

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.library.models import Role, TunedModel
from dashboard.messages.sharing import REFUSED


@dataclass(frozen=True)
class Rights:
    """What a page about ``job`` offers ``user``, who may see it. Asked for only where it is shown."""

    job: Job
    user: User

    @cached_property
    def role(self) -> Role:
        return role_on(self.job, self.user)

    @cached_property
    def model(self) -> TunedModel | None:
        """That it made, once it has ended."""
        if not self.job.is_final:
            return None
        return TunedModel.objects.visible_to(self.user).filter(job=self.job).first()

    @property
    def change(self) -> bool:
        return self.role >= Role.WRITER

    @property
    def delete(self) -> bool:
        return self.role is Role.OWNER

    @property
    def share(self) -> bool:
        return self.change and self.model is not None

    @property
    def see_dataset(self) -> bool:
        return self.user.is_administrator or self.job.dataset_version.dataset.owner_id == self.user.pk

    @property
    def see_samples(self) -> bool:
        """The held-out examples and the answers to them: for those whom a service shows them, too."""
        return self.see_dataset or self.change

    @cached_property
    def see_source(self) -> bool:
        """Whether the job that this one began with is theirs to see, too."""
        source = self.job.made_from
        return source is not None and Job.objects.visible_to(self.user).filter(pk=source.pk).exists()

    @property
    def see_sweep(self) -> bool:
        return self.user.is_administrator or self.job.trial.sweep.owner_id == self.user.pk


def role_on(job: Job, user: User) -> Role:
    """The role of ``user``, who may see ``job``."""
    if user.is_administrator or job.owner_id == user.pk:
        return Role.OWNER
    model = TunedModel.objects.present().filter(job=job).first()
    return (model and model.role_of(user)) or Role.READER


def require(job: Job, user: User, role: Role) -> None:
    """Raise ``PermissionDenied`` with a sentence unless ``user``, who may see ``job``, has that role or more."""
    if role_on(job, user) < role:
        raise PermissionDenied(REFUSED[role])


def sees_alike(user: User) -> str:
    """A name for those to whom a job looks as it does to ``user``: all administrators; anybody else is alone."""
    return "administrators" if user.is_administrator else str(user.pk)
