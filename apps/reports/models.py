"""How a tenant counts, the screens on its walls, and the alarms that were raised."""

from __future__ import annotations

import hashlib
import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import person, whole_number
from apps.accounts.models import Tenant, TenantOwned
from apps.reports.formulas import service_level


class OccupancyChoice(models.TextChoices):
    LOGIN = "login", _("of the time signed in (pauses count)")
    AVAILABLE = "available", _("of handling and ready time (ICMI; pauses do not count)")


class ReportSettings(models.Model):
    """One row a tenant; without one the defaults hold. A change recounts today and all of history."""

    tenant = models.OneToOneField(
        Tenant, models.CASCADE, verbose_name=_("tenant"), related_name="report_settings"
    )  # fmt: skip
    service_level_formula = models.CharField(
        _("service level formula"),
        max_length=4,
        choices=[(item.name, f"{item.name}: {item.text}") for item in service_level.FORMULAS.values()],
        default=service_level.DEFAULT,
        help_text=_("Ans: answered by an agent; Ab: hung up while waiting; T: the queue's own threshold."),
    )
    short_abandon_s = whole_number(
        _("short abandon, seconds"),
        0,
        120,
        default=service_level.DEFAULT_SHORT_MS // 1000,
        help_text=_("Who hangs up within this time is left out by F5 and F6."),
    )
    service_level_target = whole_number(
        _("service level target, %"),
        1,
        100,
        default=80,
        help_text=_("An alarm is raised when the last 30 minutes stay 10 points below."),
    )
    alarm_wait_s = whole_number(
        _("alarm at a wait of, seconds"),
        10,
        7200,
        default=60,
        help_text=_("Raised after 5 seconds above, cleared after 10 seconds below half of it."),
    )
    occupancy = models.CharField(
        _("occupancy"), max_length=9, choices=OccupancyChoice.choices, default=OccupancyChoice.LOGIN
    )

    class Meta:
        verbose_name = _("report settings")
        verbose_name_plural = _("report settings")

    def __str__(self) -> str:
        return str(self.tenant)


class WallScreen(TenantOwned):
    """A television on a wall: whoever has its address sees figures without a single name or number of a person.

    Only a digest of the token is kept: an address that was lost is replaced, not looked up.
    """

    name = models.CharField(_("name"), max_length=100, help_text=_("Where it hangs."))
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = person(_("created by"), editable=False)
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("wall screen")
        verbose_name_plural = _("wall screens")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def renew_token(self) -> str:
        """A new token, shown once; the old address stops working when the row is saved."""
        token = secrets.token_urlsafe(24)
        self.token_digest = digest(token)
        return token


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class RaisedAlarm(models.Model):
    """One time that something was wrong: from when to when, and who took it upon them."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, verbose_name=_("tenant"))
    kind = models.CharField(_("kind"), max_length=40)
    subject = models.CharField(_("subject"), max_length=100, blank=True)
    raised_at = models.DateTimeField(_("raised"))
    cleared_at = models.DateTimeField(_("cleared"), null=True)
    acked_at = models.DateTimeField(_("acknowledged"), null=True)
    acked_by = person(_("acknowledged by"))
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ["-raised_at"]
        constraints = [models.UniqueConstraint("tenant", "kind", "subject", "raised_at", name="alarm_once")]
        indexes = [models.Index(fields=["tenant"], condition=models.Q(cleared_at=None), name="alarm_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


class ShelvedAlarm(models.Model):
    """An alarm that somebody put aside for a while: who, until when and why. Kept as the log of it."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, verbose_name=_("tenant"))
    kind = models.CharField(_("kind"), max_length=40)
    subject = models.CharField(_("subject"), max_length=100, blank=True)
    shelved_at = models.DateTimeField(_("put aside"), auto_now_add=True)
    until = models.DateTimeField(_("until"))
    shelved_by = person(_("put aside by"))
    reason = models.CharField(_("reason"), max_length=500)
    ended_at = models.DateTimeField(_("taken back"), null=True)
    ended_by = person(_("taken back by"))

    class Meta:
        verbose_name = _("alarm put aside")
        verbose_name_plural = _("alarms put aside")
        ordering = ["-shelved_at"]
        indexes = [models.Index(fields=["until"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()
