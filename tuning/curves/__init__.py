"""Loss curves: packed for storage (``series``), what is drawn of them (``view``), what they say (``summary``)."""

from tuning.curves.series import POINT, Arrays, Floats, arrays, pack, unpack
from tuning.curves.summary import Summary, summary
from tuning.curves.view import Indices, downsample, smooth

__all__ = [
    "POINT",
    "Arrays",
    "Floats",
    "Indices",
    "Summary",
    "arrays",
    "downsample",
    "pack",
    "smooth",
    "summary",
    "unpack",
]
