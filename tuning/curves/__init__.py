"""Loss curves: packed for storage (``series``), what is drawn of them (``smoothing``, ``view``), what they say
(``summary``; ``advice`` on a job's ``course``, by way of ``levels``).
"""

from tuning.curves.advice import advise
from tuning.curves.course import Finding
from tuning.curves.levels import flat_since
from tuning.curves.series import POINT, Arrays, Floats, arrays, pack, unpack
from tuning.curves.smoothing import Kind, Smoothing, smooth
from tuning.curves.summary import Summary, summary
from tuning.curves.view import Indices, downsample, throughput, within

__all__ = [
    "POINT",
    "Arrays",
    "Finding",
    "Floats",
    "Indices",
    "Kind",
    "Smoothing",
    "Summary",
    "advise",
    "arrays",
    "downsample",
    "flat_since",
    "pack",
    "smooth",
    "summary",
    "throughput",
    "unpack",
    "within",
]
