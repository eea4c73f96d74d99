"""Tables of the benchmarks: for a terminal, or for ``benchmarks/README.md``."""


def drawn(title: str, heads: list[str], rows: list[list[str]], *, markdown: bool) -> str:
    """``rows`` under ``heads``; the first column is set to the left, the others to the right."""
    if markdown:
        lines = [f"**{title}**", "", _cells(heads), _cells(["---", *["---:"] * (len(heads) - 1)])]
        return "\n".join([*lines, *map(_cells, rows)])
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join([title, *(_line(cells, widths) for cells in [heads, *rows])])


def _cells(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _line(cells: list[str], widths: list[int]) -> str:
    first, *others = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return "   ".join([first.strip().ljust(widths[0]), *others]).rstrip()
