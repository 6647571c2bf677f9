"""A company served by this installation, and what it decides for itself."""

from __future__ import annotations

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import whole_number, whole_number_or_none
from apps.core.texts import NUMBER

dialable = RegexValidator(rf"^{NUMBER.pattern}$", _("Digits, * and #, with an optional leading +, at most 32."))
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

    vip_priority = whole_number(
        _("priority of VIPs"),
        0,
        9,
        default=8,
        help_text=_("Of customers whose level is VIP, in every queue, at least: 0 to 9."),
    )

    missed_limit = whole_number(
        _("missed calls in a row"),
        1,
        10,
        default=1,
        help_text=_("After so many calls rang unanswered an agent gets no more until they press Ready."),
    )

    keep_calls_days = whole_number_or_none(_("keep calls, days"), 1, 3660, help_text=_("Empty: for ever."))
    keep_recordings_days = whole_number_or_none(_("keep recordings, days"), 1, 3660, help_text=_("Empty: for ever."))
    keep_audit_days = whole_number_or_none(
        _("keep the audit log, days"), 30, 3660, default=365, help_text=_("Empty: for ever.")
    )
    keep_facts_days = whole_number_or_none(
        _("keep the facts of calls, days"),
        1,
        3660,
        help_text=_("What timelines are drawn from. Empty: as long as the calls."),
    )
    keep_deliveries_days = whole_number_or_none(
        _("keep webhook deliveries, days"), 1, 3660, default=30, help_text=_("Empty: for ever.")
    )
    keep_imports_days = whole_number_or_none(
        _("keep imported files, days"), 1, 3660, default=30, help_text=_("Empty: for ever.")
    )

    mfa_policy = models.CharField(
        _("second factor"),
        max_length=9,
        choices=MfaPolicy.choices,
        default=MfaPolicy.NOBODY,
        help_text=_("Who must sign in with a code or a security key as well. Whoever has none is asked to set it up."),
    )
    idle_timeout_min = whole_number(
        _("idle sessions end after, minutes"),
        5,
        10_080,
        default=120,
        help_text=_("Without a request and without an open console or floor."),
    )
    session_hours = whole_number(
        _("sessions end after, hours"),
        1,
        720,
        default=14,
        help_text=_("From sign-in, whatever one does. Longer than a shift, or calls are cut off from their agents."),
    )
    sessions_at_once = models.CharField(
        _("sessions of a person"), max_length=6, choices=SessionsAtOnce.choices, default=SessionsAtOnce.MANY
    )
    password_min_length = whole_number(_("shortest password"), 8, 64, default=10, help_text=_("Characters."))
    password_history = whole_number(
        _("passwords not used again"),
        0,
        24,
        default=3,
        help_text=_("How many of a person's last passwords are refused; 0: none."),
    )
    password_max_age_days = whole_number_or_none(
        _("passwords expire after, days"),
        1,
        3660,
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


class TenantOwnedOrShared(models.Model):
    """Base of what tenants may have of their own or share."""

    tenant = models.ForeignKey(
        Tenant,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("tenant"),
        help_text=_("Empty: shared by all tenants."),
    )

    class Meta:
        abstract = True


class Coded(TenantOwned):
    """Base of what people know by a name, and flows and programs by a code that stays."""

    code = models.CharField(
        _("code"), max_length=40, validators=[code_name], help_text=_("As flows and programs name it.")
    )
    name = models.CharField(_("name"), max_length=100)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name
