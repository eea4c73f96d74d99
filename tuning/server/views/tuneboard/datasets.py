"""``/tuneboard/v1/datasets/{sha256}``: datasets sent ahead of the jobs that use them.

``PUT`` one under the SHA-256 of its bytes, then create a tuned model with ``?dataset=sha256:…`` and no training data
in the body. To anybody but who sent it, a dataset is not there. One that no job uses is removed after a day.
"""

from django.http import HttpRequest, HttpResponse

from tuning.assertions import Identity
from tuning.server import uploads
from tuning.server.answers import json_answer
from tuning.server.models import Upload
from tuning.server.views.tuneboard.fields import moment


def get(request: HttpRequest, caller: Identity, sha256: str) -> HttpResponse:
    """``{"sha256", "examples", "bytes", "created"}`` of a dataset that the caller has sent; else 404."""
    return _answer(uploads.find(caller, sha256))


def put(request: HttpRequest, caller: Identity, sha256: str) -> HttpResponse:
    """Takes JSONL of ``text_input`` and ``output`` (or of a chat's one question and answer). The answer is as
    :func:`get`'s; sending it again starts its day anew.
    """
    return _answer(uploads.receive(caller, sha256, request))


def _answer(upload: Upload) -> HttpResponse:
    return json_answer(
        {
            "sha256": upload.sha256,
            "examples": upload.examples,
            "bytes": upload.size,
            "created": moment(upload.created),
        }
    )
