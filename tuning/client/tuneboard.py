"""A tuning server of ours: the tuned-models API, and ``/tuneboard/v1`` beside it."""

from collections.abc import Sequence
from typing import Any, BinaryIO

import orjson

from tuning import wire
from tuning.client import TunedModels, _read
from tuning.client.failures import readable
from tuning.client.transport import Download, Method
from tuning.errors import BadAnswer
from tuning.resources import ApiKey, ApiKeyPage, NewApiKey, NewJob, Operation

KEYS = "tuneboard/v1/keys"
JOBS = "tuneboard/v1/jobs"
DATASETS = "tuneboard/v1/datasets"
TOKENS = "tuneboard/v1/tokens"


class Tuneboard(TunedModels):
    """As :class:`TunedModels`, and what Google's API has no words for."""

    def send_dataset(self, sha256: str, file: BinaryIO) -> None:
        """Send JSONL ahead, to be named by the SHA-256 of its bytes. Sent again, it is kept longer."""
        self.ask("PUT", f"{DATASETS}/{sha256}", body=file, timeout=self._long_timeout)

    def count_tokens_of(self, base_model: str, dataset: str) -> dict[str, Any]:
        """What the service tells of the tokens in a dataset that was sent ahead (``sha256:…``)."""
        return self.tell("POST", TOKENS, {"baseModel": base_model, "dataset": dataset})

    def create_job(self, job: NewJob) -> Operation:
        """Start a job. Raises ``AlreadyExists`` where its id is taken."""
        return _read(Operation, self.ask("POST", JOBS, body=wire.dumps(job), timeout=self._long_timeout))

    def job(self, model_id: str, part: str = "", **query: str) -> dict[str, Any]:
        """What the service tells of a job; ``part`` names one of its sub-resources."""
        path = f"{JOBS}/{model_id}/{part}" if part else f"{JOBS}/{model_id}"
        return self.tell("GET", path, query=query)

    def tell(
        self, method: Method, path: str, sent: dict[str, object] | None = None, *, query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """What the service says to ``sent``, both JSON objects that Google's API has no type for."""
        body = self.ask(method, path, body=None if sent is None else orjson.dumps(sent), query=query)
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise BadAnswer(detail=str(exc), body=readable(body)) from exc
        if not isinstance(told, dict):
            raise BadAnswer(detail="no JSON object", body=readable(body))
        return told

    def keep(self, model_id: str, archive: BinaryIO) -> str:
        """Hand over a tuned model that was made elsewhere, as a zip file. Its operation's name."""
        path = f"{JOBS}/{model_id}/adapter"
        body = self.ask("PUT", path, body=archive, media="application/zip", timeout=self._long_timeout)
        return str(orjson.loads(body).get("operation"))

    def take(self, model_id: str, part: str) -> Download:
        """A file of a job's, to be read piece by piece."""
        return self.download(f"{JOBS}/{model_id}/{part}", timeout=self._long_timeout)

    def api_keys(self) -> Sequence[ApiKey]:
        """The caller's API keys, those in use first."""
        return _read(ApiKeyPage, self.ask("GET", KEYS)).keys

    def create_api_key(self, name: str) -> ApiKey:
        """A new key, with its text in ``key``, which no later answer has."""
        return _read(ApiKey, self.ask("POST", KEYS, body=wire.dumps(NewApiKey(name=name))))

    def revoke_api_key(self, key_id: str) -> None:
        """Make a key useless. Raises ``NotFound`` where it is not the caller's."""
        self.ask("DELETE", f"{KEYS}/{key_id}")
