"""Whether somebody still needs a model: what to know before it is archived or deleted."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.templatetags.tuneboard import rough

LATELY = timedelta(days=7)
"""Who was asked in this time is in use."""


def uses(model: TunedModel) -> list[str]:
    """What speaks for leaving it where it is, a sentence each."""
    return [sentence for sentence in (_asked(model), _further(model), _descendants(model), _shared(model)) if sentence]


def _asked(model: TunedModel) -> str:
    if model.last_used is None or (passed := timezone.now() - model.last_used) > LATELY:
        return ""
    return _("It was last asked %(time)s ago, in the playground or by a script.") % {"time": rough(passed)}


def _further(model: TunedModel) -> str:
    count = Job.objects.unfinished().filter(connection=model.connection_id, tuned_from=model.name).count()
    sentence = ngettext(
        "%(count)s job under way tunes it further; it goes on.",
        "%(count)s jobs under way tune it further; they go on.",
        count,
    )
    return sentence % {"count": count} if count else ""


def _descendants(model: TunedModel) -> str:
    count = model.descendants.filter(removed=None).count()
    sentence = ngettext(
        "%(count)s model was tuned further from it; that one stays and answers.",
        "%(count)s models were tuned further from it; those stay and answer.",
        count,
    )
    return sentence % {"count": count} if count else ""


def _shared(model: TunedModel) -> str:
    if model.grants.filter(everyone=True).exists():
        return _("It is shared with everyone.")
    count = model.grants.exclude(person=model.owner_id).count()
    sentence = ngettext(
        "It is shared with %(count)s person or team.", "It is shared with %(count)s people or teams.", count
    )
    return sentence % {"count": count} if count else ""
