"""Background work. ``celery -A apps.config.celery worker``. Losing it never touches a call."""

import os

from celery import Celery

from apps.config.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apps.config.settings")

app = Celery("trunkline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE  # not among the settings: whoever has no use for Celery need not import it
app.autodiscover_tasks()
