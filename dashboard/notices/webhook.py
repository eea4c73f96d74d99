"""Notices by webhook, signed as Standard Webhooks has it (https://www.standardwebhooks.com).

``webhook-signature`` is ``v1,`` and, in Base64, the HMAC-SHA256 of ``ID.TIMESTAMP.BODY``: the headers ``webhook-id``
and ``webhook-timestamp`` (seconds since 1970) and the body as it came, keyed with the bytes that the secret holds in
Base64 after ``whsec_``. docs/notices.md shows how a receiver checks it.
"""

import hmac
import ssl
import time
from base64 import b64decode, b64encode
from http.client import HTTPException
from typing import Any

import orjson
from django.utils import timezone

from dashboard.notices import outbound, report
from dashboard.notices.delivering import NotDelivered
from dashboard.notices.models import Delivery, Webhook


def send(delivery: Delivery) -> int:
    """Make one try; the receiver's status. Raises ``NotDelivered``."""
    hook = Webhook.objects.filter(person=delivery.person, person__is_active=True).first()
    if hook is None:
        raise NotDelivered("nowhere")
    if not hook.secret.startswith("whsec_"):
        raise NotDelivered("secret_lost")  # what cannot be decrypted comes as it is stored
    body = orjson.dumps(payload(delivery))
    status = _post(hook.url, body, headers(delivery.key, body, hook.secret, int(time.time())))
    if 300 <= status < 400:
        raise NotDelivered("redirected", status)
    if not 200 <= status < 300:
        raise NotDelivered("turned_down", status)
    return status


def headers(key: str, body: bytes, secret: str, moment: int) -> dict[str, str]:
    """The headers of a post at ``moment``, its signature among them."""
    signed = f"{key}.{moment}.".encode() + body
    signature = hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256")
    return {
        "Content-Type": "application/json",
        "User-Agent": "Tuneboard",
        "webhook-id": key,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }


def payload(delivery: Delivery) -> dict[str, Any]:
    """What is posted; docs/notices.md describes it."""
    if delivery.notice is None:
        return {"type": "test", "timestamp": timezone.now(), "data": {}}
    known = report.report(delivery.notice)
    job = known.job
    return {
        "type": f"job.{known.event}",
        "timestamp": delivery.notice.time,
        "data": {
            "text": f"{known.headline}. {known.facts}",
            "url": known.url,
            "job": {
                "id": job.pk,
                "name": job.display_name,
                "state": str(job.state),
                "failure": job.failure_code or None,
                "base_model": job.base_model,
                "model": job.model or None,
                "steps": job.completed_steps,
                "total_steps": job.total_steps,
                "first_loss": job.first_loss,
                "last_loss": job.last_loss,
                "curve": report.curve(job),
            },
            "findings": [
                {**found, "text": told.sentence, "next_job": known.clone_url(told) if told.query else None}
                for found, told in zip(job.findings, known.findings, strict=True)
            ],
        },
    }


def _post(url: str, body: bytes, named: dict[str, str]) -> int:
    try:
        return outbound.post(url, body, named)
    except outbound.Refused as refusal:
        raise NotDelivered(refusal.code) from None
    except TimeoutError:
        raise NotDelivered("timed_out") from None
    except ssl.SSLCertVerificationError:
        raise NotDelivered("untrusted") from None
    except OSError:
        raise NotDelivered("unreachable") from None
    except (HTTPException, ValueError):
        raise NotDelivered("bad_answer") from None
