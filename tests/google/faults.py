"""What can go wrong on the way, on demand: what a service refuses, and what no service means to do.

::

    cloud.fault(refusals.unavailable(), on="tuningJobs.create")             # once, and nothing is done
    cloud.fault(faults.LOST, on="tuningJobs.create", afterwards=True)       # done, but nobody learns of it
"""

from dataclasses import dataclass
from enum import Enum

from tests.google.refusals import Refusal


class Trouble(Enum):
    """Answers that are none."""

    LOST = "the connection is closed without an answer"
    SILENCE = "nothing is said, on a connection that stays open"
    TRUNCATED = "half of a JSON object, of the length that was announced"
    HTML = "a page of a proxy's, where JSON was expected, and a success by its status"
    HTML_REFUSAL = "a page of a proxy's, with the status 502"
    LIST = "JSON, but a list of numbers"
    WRONG_TYPES = "an object whose known fields are of other types"
    EMPTY = "a success without a body"


LOST, SILENCE, TRUNCATED, HTML, HTML_REFUSAL, LIST, WRONG_TYPES, EMPTY = Trouble

BODIES = {
    Trouble.TRUNCATED: b'{"name": "projects/tuneboard-tests/locations/us-central1/tuni',
    Trouble.HTML: b"<!doctype html><html><title>Sign in</title><body>This network wants you to sign in.</body></html>",
    Trouble.HTML_REFUSAL: b"<!doctype html><html><title>502</title><body>Bad gateway</body></html>",
    Trouble.LIST: b"[1, 2, 3]",
    Trouble.WRONG_TYPES: (
        b'{"name": 7, "state": ["JOB_STATE_RUNNING"], "createTime": {}, "tuningJobs": 3, "candidates": "none",'
        b' "tunedModel": "x", "tuningDataStats": 1, "supervisedTuningSpec": [], "timeSeriesData": true, "labels": 4,'
        b' "error": "none", "experiment": 5, "usageMetadata": [], "totalTokens": "many", "md5Hash": 1, "metadata": 2}'
    ),
    Trouble.EMPTY: b"",
}


@dataclass
class Fault:
    """``what`` goes wrong the next ``times`` that the method ``on`` is asked; any, where it is empty."""

    what: Refusal | Trouble
    on: str = ""
    times: int = 1
    afterwards: bool = False
    """The request is carried out, and only its answer suffers."""
