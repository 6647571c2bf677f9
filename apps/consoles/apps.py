from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsolesConfig(AppConfig):
    """The pages of agents and supervisors. No tables: state comes from ``live``, history from ``calls``."""

    name = "apps.consoles"
    label = "consoles"
    verbose_name = _("Consoles")
