"""Notices by e-mail: the sentences, the curve as a line of text, and as a picture beside it."""

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from dashboard.notices import report
from dashboard.notices.delivering import NotDelivered
from dashboard.notices.models import Delivery


def send(delivery: Delivery) -> None:
    """Make one try. Raises ``NotDelivered``."""
    if not settings.EMAIL_URL or not delivery.person.is_active:
        raise NotDelivered("nowhere")
    try:
        message(delivery).send()
    except (OSError, SMTPException):
        raise NotDelivered("mail_refused") from None


def message(delivery: Delivery) -> EmailMessage:
    """The mail of a delivery; without a notice, the one that tells that mail arrives."""
    known = report.report(delivery.notice) if delivery.notice else None
    context = {
        "report": known,
        "curve": report.curve_text(known.job) if known else "",
        "links": [(finding, known.clone_url(finding) if finding.query else "") for finding in known.findings]
        if known
        else [],
        "settings_url": report.absolute(reverse("notices:settings")),
    }
    subject = " ".join(render_to_string("notices/mail_subject.txt", context).split())
    mail = EmailMessage(subject, render_to_string("notices/mail.txt", context), None, [delivery.person.email])
    if known and (picture := report.curve_picture(known.job)):
        mail.attach("curve.svg", picture, "image/svg+xml")
    return mail
