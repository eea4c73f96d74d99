"""How ``/tuneboard/v1`` writes what JSON has no type for."""

from datetime import datetime

from tuning import wire


def moment(time: datetime | None) -> str | None:
    return wire.rfc3339(time) if time else None


def present(**values: object) -> dict[str, object]:
    """``values`` without those that are not known."""
    return {name: value for name, value in values.items() if value is not None and value != ""}
