"""Numbers and the special days of calendars as spreadsheets."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from import_export.fields import Field

from apps.accounts.tenant_admin import of_tenant
from apps.ivr.models import Flow
from apps.telephony.exchange import OwnForeignKey, TenantResource
from apps.telephony.models import Calendar, CalendarDay, Did, Switch
from apps.telephony.models.calendars import closing_minute


class DidResource(TenantResource):
    switch = Field("switch", "switch", widget=OwnForeignKey(Switch, "name"))
    flow = Field("flow", "flow", widget=OwnForeignKey(Flow, "code"))

    class Meta(TenantResource.Meta):
        model = Did
        fields = ("number", "switch", "flow", "priority", "note")
        import_id_fields = ("number", "switch")


class CalendarDayResource(TenantResource):
    """One line a span: without times a holiday, with times a work day."""

    calendar = Field("calendar", "calendar", widget=OwnForeignKey(Calendar, "code"))

    class Meta(TenantResource.Meta):
        model = CalendarDay
        fields = ("calendar", "date", "name", "opens", "closes")
        import_id_fields = ("calendar", "date", "opens")

    def get_queryset(self) -> models.QuerySet[CalendarDay]:
        return CalendarDay.objects.filter(calendar__in=of_tenant(Calendar.objects.all(), self.tenant))

    def init_instance(self, row: Any = None) -> CalendarDay:
        return CalendarDay()

    def after_save_instance(self, instance: CalendarDay, row: Any, **kwargs: Any) -> None:
        same_day = CalendarDay.objects.filter(calendar=instance.calendar, date=instance.date).exclude(pk=instance.pk)
        if same_day.exists() and (instance.opens is None or same_day.filter(opens=None).exists()):
            text = _("%(date)s is given twice as a holiday, or as both.")
            raise ValidationError({"date": text % {"date": instance.date}})
        if instance.opens is not None and any(_overlap(instance, other) for other in same_day):
            raise ValidationError({"opens": _("Opening hours of one day overlap.")})


def _overlap(one: CalendarDay, other: CalendarDay) -> bool:
    """Both have times; 00:00 as an end is midnight."""
    first, second = _minutes(one), _minutes(other)
    return first[0] < second[1] and second[0] < first[1]


def _minutes(day: CalendarDay) -> tuple[int, int]:
    assert day.opens is not None and day.closes is not None
    return day.opens.hour * 60 + day.opens.minute, closing_minute(day.closes)
