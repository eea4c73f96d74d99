"""The resources of the tuned-models REST API, as plain values.

Source: the ``google.ai.generativelanguage`` protos, v1beta
(https://ai.google.dev/api/tuning). Attribute names are Python's; the spelling on the wire
is known to :mod:`tuning.wire` alone. A scalar that proto3 calls ``optional`` is ``None``
when it is not set; every other scalar has proto3's zero as its default.
"""

from tuning.resources.generation import *  # noqa: F403
from tuning.resources.sharing import *  # noqa: F403
from tuning.resources.tuneboard import *  # noqa: F403
from tuning.resources.tuning import *  # noqa: F403
