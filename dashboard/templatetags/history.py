"""What was done to an object, on its own page."""

from typing import Any

from django import template

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.audit.rows import rows
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.library.models import Role, TunedModel

register = template.Library()

SHOWN = 20


@register.inclusion_tag("audit/_history.html", takes_context=True)
def history(context: template.Context, thing: Dataset | Job | TunedModel) -> dict[str, Any]:
    """The last :data:`SHOWN` entries about ``thing``, for those who may change it; nothing for others."""
    user: User = context["user"]
    entries = Entry.objects.about(thing).select_related("person")[:SHOWN] if _may_change(user, thing) else []
    kind, key = thing._meta.label_lower, thing.pk
    return {"rows": rows(list(entries)), "user": user, "kind": kind, "key": key}


def _may_change(user: User, thing: Dataset | Job | TunedModel) -> bool:
    if user.is_administrator or thing.owner_id == user.pk:
        return True
    if isinstance(thing, Job):
        return Job.objects.changeable_by(user).filter(pk=thing.pk).exists()
    return isinstance(thing, TunedModel) and (thing.role_of(user) or Role.READER) >= Role.WRITER
