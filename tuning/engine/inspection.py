"""Whether a base model can be used here, before it is added: ``python -m tuning.engine.inspection``, an
:class:`InspectSpec` on standard input. It fails with the reason of :func:`tuning.engine.prepare.inspect`.
"""

from collections.abc import Iterator

from tuning.engine import Event, InspectSpec, Log, child


def inspect(spec: InspectSpec) -> Iterator[Event]:
    """Read what comes before the weights, and say what it is."""
    # The readers take a moment to load; the closing pipe must be heard meanwhile.
    from tuning.engine import prepare  # noqa: PLC0415
    from tuning.engine.bases import originals, sources  # noqa: PLC0415
    from tuning.engine.bases.catalogue import BaseModelEntry, Folder  # noqa: PLC0415

    source = Folder(folder=str(spec.folder))
    entry = BaseModelEntry(name="inspected", display_name="", weights=source, own_template=True)
    _, found = prepare.inspect(entry, originals.opened(sources.located(source)), spec.models)
    yield Log("info", f"{found.family}, {found.parameters} parameters")


if __name__ == "__main__":
    child.run(InspectSpec, inspect)
