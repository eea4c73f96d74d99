"""``python -m tuning.server COMMAND``: api, tuner, apikey, and Django's own (migrate, check …)."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tuning.server.settings"
    execute_from_command_line(["python -m tuning.server", *sys.argv[1:]])
