"""``python run.py MODULE …``: the checks of the modules, in order, in the environment of their client."""

import sys
from importlib import import_module

import checks

for module in sys.argv[1:]:
    import_module(module)
checks.run()
