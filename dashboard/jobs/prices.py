"""What tuning costs at services that are paid for. The prices are a setting: a service tells nobody its own."""

from django.conf import settings

from dashboard.connections.models import Connection

CHARACTERS_A_TOKEN = 4
"""Of English text, roughly."""
MILLION = 1_000_000


def price(connection: Connection, base_model: str) -> float | None:
    """Of a million tokens read, in :func:`currency`: of this base model at this kind of connection, else of
    the kind. ``None`` where nothing is to be paid, or nobody said what.
    """
    prices: dict[str, float] = settings.PRICES
    return prices.get(f"{connection.kind}/{base_model}", prices.get(connection.kind))


def cost(connection: Connection, base_model: str, characters: float, epochs: int) -> float | None:
    """Of reading so many ``characters`` in each of so many ``epochs``, roughly."""
    million = price(connection, base_model)
    return None if million is None else million * epochs * characters / CHARACTERS_A_TOKEN / MILLION


def currency() -> str:
    """In which prices are given."""
    return str(settings.CURRENCY)
