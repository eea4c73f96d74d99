"""The Gemini API, and any other server of the tuned-models API, reached by an OAuth token or an API key.

Google's own service has had no base model that can be tuned since May 2025, and none is announced
(https://ai.google.dev/gemini-api/docs/model-tuning): there ``create`` is answered 404, while models that exist can
still be listed, asked, shared and deleted. Another server, a tuning server of ours among them, is reached by its
base URL.
"""

from collections.abc import Mapping, Sequence

from tuning.client import TunedModels
from tuning.client.transport import Credentials
from tuning.errors import NotFound, ServiceError, Unauthenticated, Unavailable
from tuning.providers.base import ConnectionSettings, Identity, JobRef, JobSpec
from tuning.providers.checking import Check
from tuning.providers.tuned_models import TunedModelsProvider

GOOGLE = "https://generativelanguage.googleapis.com"
SCOPES = (
    "https://www.googleapis.com/auth/generative-language.tuning",
    "https://www.googleapis.com/auth/generative-language.retriever",
    "https://www.googleapis.com/auth/cloud-platform",
)
"""Tuning; permissions and asking; and what Google's own tutorials ask for beside them, for the quota project."""
API = "generativelanguage.googleapis.com"
TIMEOUT = 30.0
MISSING = {
    "scope_missing": "scope",
    "api_disabled": "api",
    "billing_disabled": "billing",
    "project_unknown": "quota_project",
    "project_denied": "quota_project",
    "project_suspended": "quota_project",
    "iam_denied": "permission",
}
"""What is wrong -> the check that finds it."""


class GeminiProvider(TunedModelsProvider):
    """The service at ``base_url``, or Google's. Who asks is whoever the token or the key belongs to: such a service
    does not know the people of this dashboard.
    """

    def __init__(self, settings: ConnectionSettings, identity: Identity) -> None:
        super().__init__(TunedModels(settings.base_url or GOOGLE, credentials(settings), timeout=TIMEOUT))
        self._proof = "signed_in" if settings.token else "key"

    def create(self, spec: JobSpec) -> JobRef:
        try:
            return super().create(spec)
        except NotFound as exc:
            if exc.code != NotFound.code:  # a server of ours says more exactly what is missing
                raise
            raise NotFound("not_tunable", detail=exc.detail, body=exc.body) from exc

    def check(self) -> Sequence[Check]:
        """By two lists, which need all that tuning does but the right to write."""
        try:
            next(self._service.list(), None)
            tunable = [model.display_name for model in self.base_models() if model.tunable]
        except ServiceError as error:
            return self._lacking(error)
        return [
            Check(code="reachable", ok=True),
            Check(code=self._proof, ok=True),
            Check(code="models", ok=bool(tunable), detail=", ".join(tunable)[:200]),
        ]

    def _lacking(self, error: ServiceError) -> list[Check]:
        """What the connection got by, and where it came to an end."""
        if isinstance(error, Unavailable):
            return [Check(code="reachable", ok=False, error=error)]
        reached = Check(code="reachable", ok=True)
        if isinstance(error, Unauthenticated):
            return [reached, Check(code=self._proof, ok=False, error=error)]
        said = {name: str(error.params.get(name, "")) for name in ("scopes", "service", "project", "link")}
        code = MISSING.get(error.code, "permission")
        told = {"scope": said["scopes"] or SCOPES[0], "api": said["service"] or API, "quota_project": said["project"]}
        detail = told.get(code) or error.detail[:200]
        lacking = Check(code=code, ok=False, link=said["link"], detail=detail, error=error)
        return [reached, Check(code=self._proof, ok=True), lacking]


def credentials(settings: ConnectionSettings) -> Credentials:
    """Headers that prove who asks: a token, with the project whose quota is used, or else an API key."""

    def headers() -> Mapping[str, str]:
        if settings.token:
            project = {"x-goog-user-project": settings.project} if settings.project else {}
            return {"Authorization": f"Bearer {settings.token()}", **project}
        if settings.secret:
            return {"x-goog-api-key": settings.secret}
        raise Unauthenticated("reconnect")

    return headers
