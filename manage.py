#!/usr/bin/env python
"""The dashboard's command line. The tuning server has its own: ``python -m tuning.server``."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    execute_from_command_line(sys.argv)
