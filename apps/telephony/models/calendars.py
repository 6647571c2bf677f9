"""Business hours: the usual week, holidays and 调休 work days, and the lever for an emergency."""

from __future__ import annotations

import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Coded


class Override(models.TextChoices):
    OPEN = "open", _("Open now, whatever the hours say")
    CLOSED = "closed", _("Closed now")
    EMERGENCY = "emergency", _("Emergency")


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


def closing_minute(closes: datetime.time) -> int:
    """Minutes after local midnight; 00:00 as an end means the end of the day."""
    return closes.hour * 60 + closes.minute or 1440


def check_span(opens: datetime.time, closes: datetime.time) -> None:
    if opens.hour * 60 + opens.minute >= closing_minute(closes):
        raise ValidationError(_("The end must be after the start; 00:00 as an end means midnight."))


class Calendar(Coded):
    override = models.CharField(_("override"), max_length=9, choices=Override.choices, blank=True)

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ["code"]
        constraints = [models.UniqueConstraint("tenant", "code", name="calendar_once_per_tenant")]


class CalendarSpan(models.Model):
    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="spans", verbose_name=_("calendar"))
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday.choices)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"), help_text=_("00:00 means midnight."))

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "opens"]

    def __str__(self) -> str:
        # By text, not by format: the audit prints a row as it was given, and times may be given as text.
        return f"{self.get_weekday_display()} {str(self.opens)[:5]}-{str(self.closes)[:5]}"

    def clean(self) -> None:
        if self.opens is not None and self.closes is not None:
            check_span(self.opens, self.closes)


class CalendarDay(models.Model):
    """One date that differs from its weekday: without times a holiday, with times a 调休 work day.

    Several rows of one date are several spans.
    """

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="days", verbose_name=_("calendar"))
    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=100, blank=True)
    opens = models.TimeField(_("opens"), null=True, blank=True, help_text=_("Empty: closed all day (holiday)."))
    closes = models.TimeField(_("closes"), null=True, blank=True, help_text=_("00:00 means midnight."))

    class Meta:
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        ordering = ["date", "opens"]

    def __str__(self) -> str:
        return f"{self.date} {self.name}".strip()

    def clean(self) -> None:
        if (self.opens is None) != (self.closes is None):
            raise ValidationError(_("Give both times, or neither for a holiday."))
        if self.opens is not None and self.closes is not None:
            check_span(self.opens, self.closes)
