"""What a service keeps of a job's examples, as a sentence."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from dashboard.jobs.models import Job


def kept_sentence(job: Job) -> str:
    """What is kept, since when, and until when; empty where the service does not say."""
    if job.kept_since is None:
        return ""
    days = {"since": _day(job.kept_since)} | ({"until": _day(job.kept_until)} if job.kept_until else {})
    if job.kept_until is None:
        sentence = gettext("The tuning server keeps the examples since %(since)s, as long as the model.")
    elif job.kept_until < timezone.now():
        sentence = gettext("The tuning server kept the examples from %(since)s to %(until)s and has removed them.")
    else:
        sentence = gettext("The tuning server keeps the examples since %(since)s, until %(until)s.")
    sentence = sentence % days
    return sentence + " " + gettext("Deleting the model deletes them, too; your dataset here stays.")


def _day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATE_FORMAT")
