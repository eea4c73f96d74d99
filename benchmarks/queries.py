"""How many questions a page asks of the database: ``python benchmarks/queries.py PATH …``, for ``benchmarks/web.py``.

Prints them as a JSON list; sessions and who is asking are among them.
"""

import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

import orjson  # noqa: E402 - after the settings are read
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from dashboard.accounts.models import User  # noqa: E402


def count(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path, headers={"host": "localhost"})
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return len(asked)


if __name__ == "__main__":
    somebody = Client()
    somebody.force_login(User.objects.order_by("pk")[0])
    print(orjson.dumps([count(somebody, path) for path in sys.argv[1:]]).decode())
