from django.apps import AppConfig


class LiveConfig(AppConfig):
    """What moves on the screens: the engine's state in this web process, pushed over websockets. No tables."""

    name = "apps.live"
    label = "live"
