from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    """The REST interface under ``/api/v1/``: what all its parts share, and the resources of calls and agents."""

    name = "apps.api"
    label = "api"
    verbose_name = _("REST interface")

    def ready(self) -> None:
        from apps.api import commands, schema  # noqa: F401  schema tells drf-spectacular how our tokens are sent
        from apps.calls import followers

        followers.follow(commands.note_outcomes)
