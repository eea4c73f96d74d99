"""The services Tuneboard can drive. Adding one is a module here and a line in ``PROVIDERS``."""

from importlib import import_module
from typing import cast

from tuning.jobs import Conditions
from tuning.providers.base import (
    Answer,
    ApiKey,
    BaseModel,
    Capabilities,
    Chronicler,
    ConnectionSettings,
    Export,
    Exporter,
    Identity,
    JobRef,
    JobSpec,
    KeyIssuer,
    LogLine,
    Prompt,
    Provider,
    ProviderFactory,
    Sample,
    Takeaway,
    Tally,
    TokenCounter,
)
from tuning.providers.checking import Check, Checker
from tuning.providers.engine import (
    EngineRoom,
    EngineState,
    InQueue,
    InstalledBase,
    NewBase,
    Queue,
    QueueState,
    Retrier,
    Turn,
    UsageTeller,
)
from tuning.providers.existing import Existing, Found, Importer
from tuning.providers.keeping import Carried, Keeper
from tuning.providers.particulars import Checkpoint, Console, DataStats, Particulars, Spread, Teller
from tuning.providers.reproducing import Reproducer
from tuning.providers.sharing import Editor, Grantee, Permission, Presentation, Role, Sharer
from tuning.providers.streaming import Piece, Streamer

__all__ = [
    "PROVIDERS",
    "Answer",
    "ApiKey",
    "BaseModel",
    "Capabilities",
    "Carried",
    "Check",
    "Checker",
    "Checkpoint",
    "Chronicler",
    "Conditions",
    "ConnectionSettings",
    "Console",
    "DataStats",
    "Editor",
    "EngineRoom",
    "EngineState",
    "Existing",
    "Export",
    "Exporter",
    "Found",
    "Grantee",
    "Identity",
    "Importer",
    "InQueue",
    "InstalledBase",
    "JobRef",
    "JobSpec",
    "Keeper",
    "KeyIssuer",
    "LogLine",
    "NewBase",
    "Particulars",
    "Permission",
    "Piece",
    "Presentation",
    "Prompt",
    "Provider",
    "Queue",
    "QueueState",
    "Reproducer",
    "Retrier",
    "Role",
    "Sample",
    "Sharer",
    "Spread",
    "Streamer",
    "Takeaway",
    "Tally",
    "Teller",
    "TokenCounter",
    "Turn",
    "UsageTeller",
    "can",
    "ignores",
    "open_provider",
    "scopes",
]

PROVIDERS = {
    "local": "tuning.providers.local:LocalProvider",
    "gemini": "tuning.providers.gemini:GeminiProvider",
    "vertex": "tuning.providers.vertex:VertexProvider",
}
"""Kind of connection -> where its class stands. Strings, so that a kind nobody uses is never imported."""


def open_provider(kind: str, settings: ConnectionSettings, identity: Identity) -> Provider:
    """The service of ``kind`` behind ``settings``, asked on behalf of ``identity``.

    Raises ``KeyError`` for a kind that is not in ``PROVIDERS``.
    """
    return cast(ProviderFactory, _provider(kind))(settings, identity)


def can(kind: str, protocol: type) -> bool:
    """Whether the services of ``kind`` are what the optional ``protocol`` says; none is asked."""
    return issubclass(_provider(kind), protocol)


def ignores(kind: str, setting: str) -> bool:
    """Whether the services of ``kind`` choose that field of :class:`tuning.recipes.Recipe` for themselves."""
    used: frozenset[str] | None = _provider(kind).capabilities.recipe  # type: ignore[attr-defined]
    return used is not None and setting not in used


def scopes(kind: str) -> tuple[str, ...]:
    """What a person, or a service account, must allow us for the services of ``kind``; nothing without Google."""
    module = import_module(PROVIDERS[kind].partition(":")[0])
    return tuple(getattr(module, "SCOPES", ()))


def _provider(kind: str) -> type:
    module, _, name = PROVIDERS[kind].partition(":")
    return cast(type, getattr(import_module(module), name))
