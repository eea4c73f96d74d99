"""A tuning server of ours: the tuned-models API, and ``/tuneboard/v1`` beside it."""

from collections.abc import Sequence

from tuning import wire
from tuning.client import TunedModels, _read
from tuning.resources import ApiKey, ApiKeyPage, NewApiKey

KEYS = "tuneboard/v1/keys"


class Tuneboard(TunedModels):
    """As :class:`TunedModels`, and what Google's API has no words for."""

    def api_keys(self) -> Sequence[ApiKey]:
        """The caller's API keys, those in use first."""
        return _read(ApiKeyPage, self.ask("GET", KEYS)).keys

    def create_api_key(self, name: str) -> ApiKey:
        """A new key, with its text in ``key``, which no later answer has."""
        return _read(ApiKey, self.ask("POST", KEYS, body=wire.dumps(NewApiKey(name=name))))

    def revoke_api_key(self, key_id: str) -> None:
        """Make a key useless. Raises ``NotFound`` where it is not the caller's."""
        self.ask("DELETE", f"{KEYS}/{key_id}")
