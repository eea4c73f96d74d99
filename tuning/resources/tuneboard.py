"""What Tuneboard knows beyond Google's API, under ``/tuneboard/v1``."""

from dataclasses import dataclass
from datetime import datetime

from tuning.resources.tuning import TunedModel


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A script's key. ``key`` is its whole text, told once, when it is made; ``ending`` its last four characters."""

    id: str = ""
    name: str = ""
    key: str = ""
    ending: str = ""
    created: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeyPage:
    keys: tuple[ApiKey, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NewApiKey:
    """``name`` says what the key is for."""

    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokensRequest:
    """Texts, or a dataset sent ahead (``sha256:…``), whose tokens are to be counted for ``base_model``."""

    base_model: str = ""
    texts: tuple[str, ...] = ()
    dataset: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRecipe:
    """How a model is tuned: :class:`tuning.recipes.Recipe` as it is asked for, and told. What is not said is assumed
    by the size of the dataset. ``learning_rate`` and ``learning_rate_multiplier`` exclude each other.
    """

    epoch_count: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    learning_rate_multiplier: float | None = None
    schedule: str | None = None
    warmup: float | None = None
    weight_decay: float | None = None
    gradient_norm: float | None = None
    rank: int | None = None
    alpha: float | None = None
    dropout: float | None = None
    longest: int | None = None
    seed: int | None = None
    validation: float | None = None
    patience: int | None = None
    samples: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationData:
    """Examples to measure the loss on, as a dataset sent ahead: ``sha256:…``."""

    dataset: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJob:
    """A job with all that Tuneboard knows of: ``tuned_model`` as Google's create takes it, and the rest beside it.

    Training data stands in ``tuned_model`` or is named by ``dataset`` (``sha256:…``), not both.
    """

    tuned_model_id: str = ""
    tuned_model: TunedModel | None = None
    dataset: str = ""
    validation: ValidationData | None = None
    recipe: JobRecipe | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutLoss:
    """The loss over the held-out examples after a step that ended an epoch."""

    step: int = 0
    epoch: int = 0
    loss: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptModel:
    """What is known of a tuned model that was made elsewhere. ``base_model`` is what its maker called it; the adapter
    says itself what it was tuned from. ``examples`` counts those of its dataset, ``held_out`` those not learnt from.
    """

    display_name: str = ""
    description: str = ""
    owner: str = ""
    base_model: str = ""
    tuned_from: str = ""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    recipe: JobRecipe | None = None
    examples: int = 0
    held_out: int = 0
    total_steps: int = 0
    stopped_step: int | None = None
    validation: tuple[HeldOutLoss, ...] = ()
    created: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBaseModel:
    """A base model to be made ready: one that is known by ``name``, or a new one from a ``folder`` of the server's."""

    name: str = ""
    folder: str = ""
    display_name: str = ""
    description: str = ""
    licence: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobChange:
    """Jobs of a higher ``priority`` go first, whoever's they are; 0 is everybody's."""

    priority: int | None = None
