from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "apps.customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from apps.calls import followers
        from apps.customers import from_calls

        followers.follow(from_calls.link_dialled)
