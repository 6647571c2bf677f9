from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    """What happens, told to programs elsewhere."""

    name = "apps.webhooks"
    label = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        from apps.calls import followers
        from apps.reports import alarm_sources
        from apps.webhooks import outbox, trouble

        followers.follow(outbox.fill)
        alarm_sources.watch(trouble.alarms)
