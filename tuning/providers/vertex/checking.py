"""Whether a connection to Vertex AI works: what is missing, and where in the console it is put right."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from tuning.client.google_cloud import CloudStorage, GoogleCloud
from tuning.errors import Exhausted, Internal, NotFound, PermissionDenied, ServiceError, Unauthenticated, Unavailable
from tuning.providers.base import ConnectionSettings
from tuning.providers.checking import Check
from tuning.providers.vertex import names

VERTEX, STORAGE = "aiplatform.googleapis.com", "storage.googleapis.com"
ROLE = "roles/aiplatform.user"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
FIRST = ("reachable", "signed_in", "scope", "api")
NEEDED = ("storage.objects.create", "storage.objects.get", "storage.objects.delete")


class Checking:
    """:class:`tuning.providers.Checker`."""

    _service: GoogleCloud
    _storage: CloudStorage
    _settings: ConnectionSettings
    _parent: str
    _bucket: str

    def check(self) -> Sequence[Check]:
        try:
            self._service.tell("GET", f"v1/{self._parent}/tuningJobs", query={"pageSize": "1"})
        except ServiceError as error:
            return self._missing(error)
        passed = [Check(code=code, ok=True) for code in ("reachable", "signed_in", "scope")]
        passed += [Check(code="api", ok=True, detail=VERTEX), Check(code="project", ok=True, detail=self._parent)]
        return [*passed, self._bucket_check()]

    def _missing(self, error: ServiceError) -> list[Check]:
        """What an error says is not well, after what must have been well before it."""
        failing = self._failing(error)
        known = () if error.code == "connection_incomplete" else FIRST
        before = takewhile(lambda code: code != failing.code, known)
        return [*(Check(code=code, ok=True) for code in before), failing]

    def _failing(self, error: ServiceError) -> Check:
        project, place = self._settings.project, self._settings.location
        grant = f"{names.CONSOLE}/iam-admin/iam?project={project}"
        cases = (
            (error.code == "connection_incomplete", Check(code=str(error.params.get("missing")), ok=False)),
            (isinstance(error, Unavailable | Internal | Exhausted), Check(code="reachable", ok=False)),
            (isinstance(error, Unauthenticated), Check(code="signed_in", ok=False)),
            (error.code == "scope_missing", Check(code="scope", ok=False, detail=SCOPE)),
            (error.code == "api_disabled", Check(code="api", ok=False, link=self._enable(VERTEX), detail=VERTEX)),
            (isinstance(error, PermissionDenied), Check(code="permission", ok=False, link=grant, detail=ROLE)),
            (isinstance(error, NotFound), Check(code="location", ok=False, detail=place)),
            (True, Check(code="project", ok=False, link=f"{names.CONSOLE}/welcome?project={project}", detail=project)),
        )
        found = next(check for holds, check in cases if holds)
        return found if error.code == "connection_incomplete" else replace(found, error=error)

    def _enable(self, api: str) -> str:
        return f"{names.CONSOLE}/apis/library/{api}?project={self._settings.project}"

    def _bucket_check(self) -> Check:
        """Whether objects may be made there, read and removed; none is."""
        link = f"{names.CONSOLE}/storage/browser/{self._bucket}?project={self._settings.project}"
        missing = Check(code="bucket", ok=False, link=link, detail=self._bucket)
        try:
            held = self._storage.permissions(names.bucket(self._bucket), NEEDED)
        except NotFound:
            return replace(missing, code="bucket_there")
        except ServiceError as error:
            if error.code == "api_disabled":
                return Check(code="api", ok=False, link=self._enable(STORAGE), detail=STORAGE, error=error)
            return replace(missing, error=error)
        return Check(code="bucket", ok=True, detail=self._bucket) if held >= set(NEEDED) else missing
