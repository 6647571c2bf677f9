from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out


class LiveConfig(AppConfig):
    """What moves on the screens: the engine's state in this web process, pushed over websockets. No tables."""

    name = "apps.live"
    label = "live"

    def ready(self) -> None:
        from apps.accounts import page_closing
        from apps.live.from_threads import expel_user

        page_closing.register(expel_user)
        user_logged_out.connect(_signed_out, dispatch_uid="live_close_pages")


def _signed_out(sender: object, user: Any, **kwargs: object) -> None:
    """A page must not stay open, and in command of an agent, after its user signed off."""
    from apps.accounts.page_closing import close_pages

    if user is not None:
        close_pages(str(user.pk))
