"""Vertex AI: Gemini models tuned in a Google Cloud project, asked as the person, or the service account, that is
connected.

What was tried how, and what was not: docs/google.md.
"""

from collections.abc import Mapping, Sequence

from tuning.client import bearer
from tuning.client.google_cloud import CloudStorage, GoogleCloud
from tuning.errors import Unauthenticated
from tuning.providers.base import BaseModel, Capabilities, ConnectionSettings, Identity, JobRef
from tuning.providers.particulars import Particulars
from tuning.providers.vertex import names, reading, series
from tuning.providers.vertex.asking import Asking
from tuning.providers.vertex.checking import Checking
from tuning.providers.vertex.creating import Creating
from tuning.providers.vertex.existing import VertexExisting
from tuning.providers.vertex.removing import Removing
from tuning.providers.vertex.series import Series

__all__ = ["SCOPES", "VertexProvider"]

SCOPES: tuple[str, ...] = ("https://www.googleapis.com/auth/cloud-platform",)
"""Vertex AI and Cloud Storage both take it."""
TIMEOUT = 30.0
STORAGE = "https://storage.googleapis.com"
USED = frozenset({"epoch_count", "learning_rate", "rank", "validation", "seed"})
"""The learning rate becomes a multiplier of Google's own, which nobody tells; the seed chooses what is held out."""

TUNABLE = (
    ("gemini-2.5-flash", "Gemini 2.5 Flash"),
    ("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite"),
    ("gemini-2.5-pro", "Gemini 2.5 Pro"),
    ("gemini-3.5-flash", "Gemini 3.5 Flash"),
    ("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite"),
    ("gemini-3.1-flash-lite", "Gemini 3.1 Flash-Lite"),
)
"""https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning#supported_models, as it was in
November 2026. No method of the API lists them.
"""
INPUT_TOKENS, OUTPUT_TOKENS = 131_072, 65_536
"""Of an example, and of an answer."""


class VertexProvider(Asking, Checking, Creating, Removing, VertexExisting):
    """Tuning jobs of one project and location. A job is found again by its resource's name; a tuned model is the
    endpoint that it answers at.
    """

    capabilities = Capabilities(cancel=True, delete=True, streaming=True, validation=True, recipe=USED)

    def __init__(self, settings: ConnectionSettings, identity: Identity) -> None:
        self._settings, self._bucket = settings, settings.bucket
        self._parent = f"projects/{settings.project}/locations/{settings.location}"
        self._service = GoogleCloud(settings.base_url or names.address(settings.location), self._prove, timeout=TIMEOUT)
        self._storage = CloudStorage(settings.base_url or STORAGE, self._prove, timeout=TIMEOUT)

    def _prove(self) -> Mapping[str, str]:
        """Headers that say who asks. Raises ``InvalidRequest`` for a connection that is no address, before anything
        is asked.
        """
        names.check(self._settings)
        return bearer(self._settings.token or _nobody)()

    def base_models(self) -> Sequence[BaseModel]:
        """Those that are said to be tunable; asked for one page of jobs, so that who may not come in is told."""
        self._service.tell("GET", f"v1/{self._parent}/tuningJobs", query={"pageSize": "1"})
        return [
            BaseModel(
                name=name,
                display_name=display_name,
                input_token_limit=INPUT_TOKENS,
                output_token_limit=OUTPUT_TOKENS,
            )
            for name, display_name in [(name, name) for name in self._settings.base_models] or TUNABLE
        ]

    def particulars(self, ref: JobRef) -> Particulars:
        with reading.answers():
            job = self._job(ref)
            curves = Series(self._service, job)
            return Particulars(
                state=reading.text(job.get("state")),
                data=reading.stats(job) if job.get("tuningDataStats") else None,
                checkpoints=reading.checkpoints(job),
                accuracy=curves.points(series.ACCURACY),
                held_out_accuracy=curves.points(series.HELD_OUT_ACCURACY),
                files=reading.text(job.get("gcsMetricsUri")),
            )

    def link(self, ref: JobRef) -> str:
        return names.console(names.job(ref))

    def deployment(self, model: str) -> str:
        return names.endpoint_console(names.endpoint(model))


def _nobody() -> str:
    raise Unauthenticated("reconnect")
