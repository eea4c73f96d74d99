"""``python -m tuning.server api``"""

import os
import sys

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Answer HTTP on 127.0.0.1 at API_PORT, under gunicorn."
    requires_system_checks = []

    def handle(self, **options: object) -> None:
        bind = f"127.0.0.1:{settings.API_PORT}"
        arguments = ["--bind", bind, "--worker-class", "gthread", "--threads", "24"]
        os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "tuning.server.wsgi", *arguments])  # noqa: S606
