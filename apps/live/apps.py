from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out


class LiveConfig(AppConfig):
    """What moves on the screens: the engine's state in this web process, pushed over websockets. No tables."""

    name = "apps.live"
    label = "live"

    def ready(self) -> None:
        user_logged_out.connect(_close_pages, dispatch_uid="live_close_pages")


def _close_pages(sender: object, user: Any, **kwargs: object) -> None:
    """A page must not stay open, and in command of an agent, after its user signed off."""
    from apps.live.from_threads import expel_user

    if user is not None:
        expel_user(str(user.pk))
