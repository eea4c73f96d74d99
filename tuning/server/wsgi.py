"""The tuning server's API for gunicorn: ``gunicorn tuning.server.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "tuning.server.settings"

application = get_wsgi_application()
