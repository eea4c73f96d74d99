"""Loss curves: packed for storage (``series``), what is drawn of them (``smoothing``, ``view``), what they say
(``summary``).
"""

from tuning.curves.series import POINT, Arrays, Floats, arrays, pack, unpack
from tuning.curves.smoothing import Kind, Smoothing, smooth
from tuning.curves.summary import Summary, summary
from tuning.curves.view import Indices, downsample, throughput, within

__all__ = [
    "POINT",
    "Arrays",
    "Floats",
    "Indices",
    "Kind",
    "Smoothing",
    "Summary",
    "arrays",
    "downsample",
    "pack",
    "smooth",
    "summary",
    "throughput",
    "unpack",
    "within",
]
