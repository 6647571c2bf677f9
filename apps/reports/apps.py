from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    """Figures: the formulas, today's figures as facts come, the recount from history, and the alarms they raise."""

    name = "apps.reports"
    verbose_name = _("Reports")
