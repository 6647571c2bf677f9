"""A company served by this installation, and what it decides for itself."""

from __future__ import annotations

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

# What a switch may be asked to dial (freeswitch.md section 12: anything else could be dial string syntax).
dialable = RegexValidator(r"^\+?[0-9*#]{1,32}$", _("Digits, * and #, with an optional leading +, at most 32."))
code_name = RegexValidator(r"^[a-z][a-z0-9_]{0,39}$", _("Small letters, digits and _, starting with a letter."))


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("Unknown time zone, expected a name such as Asia/Shanghai."))


class MfaPolicy(models.TextChoices):
    """Who must sign in with a second factor. Anybody may."""

    NOBODY = "nobody", _("Nobody must")
    ADMINS = "admins", _("Administrators")
    STAFF = "staff", _("Administrators, supervisors and integrators")
    EVERYBODY = "everybody", _("Everybody")


class SessionsAtOnce(models.TextChoices):
    MANY = "many", _("Several at once")
    NEWEST = "newest", _("One: a new sign-in ends the earlier one")
    OLDEST = "oldest", _("One: a new sign-in is refused while the earlier one lives")


def _within(least: int, most: int) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(least), MaxValueValidator(most)]


class Tenant(models.Model):
    """One company served by this installation."""

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[code_name])
    name = models.CharField(_("name"), max_length=100)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="zh-hans")
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Asia/Shanghai", validators=[validate_time_zone]
    )

    fallback_number = models.CharField(
        _("fallback number"),
        max_length=33,
        blank=True,
        validators=[dialable],
        help_text=_("Where callers go when nothing else is left, also when the engine is down."),
    )
    unknown_did_prompt = models.CharField(
        _("unknown number announcement"),
        max_length=80,
        default="unknown_did",
        help_text=_("Code of the prompt played to callers of a number that leads nowhere."),
    )
    apology_prompt = models.CharField(
        _("apology"),
        max_length=80,
        default="apology",
        help_text=_("Code of the prompt played before a call is ended because of a fault."),
    )

    vip_priority = models.PositiveSmallIntegerField(
        _("priority of VIPs"),
        default=8,
        validators=_within(0, 9),
        help_text=_("Of customers whose level is VIP, in every queue, at least: 0 to 9."),
    )

    missed_limit = models.PositiveSmallIntegerField(
        _("missed calls in a row"),
        default=1,
        validators=_within(1, 10),
        help_text=_("After so many calls rang unanswered an agent gets no more until they press Ready."),
    )

    keep_calls_days = models.PositiveSmallIntegerField(
        _("keep calls, days"), null=True, blank=True, validators=_within(1, 3660), help_text=_("Empty: for ever.")
    )
    keep_recordings_days = models.PositiveSmallIntegerField(
        _("keep recordings, days"),
        null=True,
        blank=True,
        validators=_within(1, 3660),
        help_text=_("Empty: for ever."),
    )
    keep_audit_days = models.PositiveSmallIntegerField(
        _("keep the audit log, days"),
        null=True,
        blank=True,
        default=365,
        validators=_within(30, 3660),
        help_text=_("Empty: for ever."),
    )
    keep_facts_days = models.PositiveSmallIntegerField(
        _("keep the facts of calls, days"),
        null=True,
        blank=True,
        validators=_within(1, 3660),
        help_text=_("What timelines are drawn from. Empty: as long as the calls."),
    )
    keep_deliveries_days = models.PositiveSmallIntegerField(
        _("keep webhook deliveries, days"),
        null=True,
        blank=True,
        default=30,
        validators=_within(1, 3660),
        help_text=_("Empty: for ever."),
    )
    keep_imports_days = models.PositiveSmallIntegerField(
        _("keep imported files, days"),
        null=True,
        blank=True,
        default=30,
        validators=_within(1, 3660),
        help_text=_("Empty: for ever."),
    )

    mfa_policy = models.CharField(
        _("second factor"),
        max_length=9,
        choices=MfaPolicy.choices,
        default=MfaPolicy.NOBODY,
        help_text=_("Who must sign in with a code or a security key as well. Whoever has none is asked to set it up."),
    )
    idle_timeout_min = models.PositiveSmallIntegerField(
        _("idle sessions end after, minutes"),
        default=120,
        validators=_within(5, 10080),
        help_text=_("Without a request and without an open console or floor."),
    )
    session_hours = models.PositiveSmallIntegerField(
        _("sessions end after, hours"),
        default=14,
        validators=_within(1, 720),
        help_text=_("From sign-in, whatever one does. Longer than a shift, or calls are cut off from their agents."),
    )
    sessions_at_once = models.CharField(
        _("sessions of a person"), max_length=6, choices=SessionsAtOnce.choices, default=SessionsAtOnce.MANY
    )
    password_min_length = models.PositiveSmallIntegerField(
        _("shortest password"), default=10, validators=_within(8, 64), help_text=_("Characters.")
    )
    password_history = models.PositiveSmallIntegerField(
        _("passwords not used again"),
        default=3,
        validators=[MaxValueValidator(24)],
        help_text=_("How many of a person's last passwords are refused; 0: none."),
    )
    password_max_age_days = models.PositiveSmallIntegerField(
        _("passwords expire after, days"),
        null=True,
        blank=True,
        validators=_within(1, 3660),
        help_text=_("Empty: never, which is today's advice; a leaked password is changed at once instead."),
    )

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TenantOwned(models.Model):
    """Base of every configuration row."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, verbose_name=_("tenant"))

    class Meta:
        abstract = True
