"""Which numbers may be dialled: by agents, by transfers, by overflow. The core enforces it (core/calls/barring.py)."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import whole_number
from apps.accounts.models import TenantOwned

country_code = RegexValidator(r"^[1-9][0-9]{0,2}$", _("1 to 3 digits, without + and zeros, e.g. 86."))
trunk_prefix = RegexValidator(r"^[0-9*#]{1,6}$", _("1 to 6 of 0-9 * #, e.g. 00."))
rule_prefix = RegexValidator(r"^\+?[0-9*#]{1,16}$", _("Digits, * and #; with a leading + it is international."))


class DialPolicy(TenantOwned):
    """One a tenant. Without a row: numbers in the country may be dialled, others not."""

    country_code = models.CharField(
        _("country code"), max_length=3, default="86", validators=[country_code], help_text=_("Of the own country.")
    )
    international_prefix = models.CharField(
        _("international prefix"),
        max_length=6,
        default="00",
        validators=[trunk_prefix],
        help_text=_("What is dialled before a country code; the same as a leading +."),
    )
    national = models.BooleanField(_("national calls"), default=True, help_text=_("Numbers in the own country."))
    international = models.BooleanField(
        _("international calls"),
        default=False,
        help_text=_("All other countries. Toll fraud goes here: allow single countries by rules instead."),
    )
    ring_timeout_s = whole_number(
        _("ring time, seconds"), 10, 120, default=45, help_text=_("How long a number that an agent dials may ring.")
    )
    record = models.BooleanField(_("record"), default=True, help_text=_("Calls that agents dial."))
    wrap_up_s = whole_number(
        _("wrap-up, seconds"), 0, 3600, default=30, help_text=_("After a call that an agent dialled.")
    )

    class Meta:
        verbose_name = _("dialling policy")
        verbose_name_plural = _("dialling policies")
        ordering = ["tenant"]
        constraints = [models.UniqueConstraint("tenant", name="dial_policy_once_per_tenant")]

    def __str__(self) -> str:
        return str(self.tenant)


class DialRuleKind(models.TextChoices):
    EMERGENCY = "emergency", _("Emergency")
    PREMIUM = "premium", _("Premium rate")
    COUNTRY = "country", _("Country")
    OTHER = "other", _("Other")


class DialRule(TenantOwned):
    """An exception to the policy. Of all rules that fit a number, the longest prefix decides."""

    prefix = models.CharField(
        _("prefix"),
        max_length=17,
        validators=[rule_prefix],
        help_text=_("As dialled in the country, e.g. 110 or 1681, or international with a +, e.g. +1900."),
    )
    whole = models.BooleanField(_("whole number"), default=False, help_text=_("Only this very number."))
    allow = models.BooleanField(_("allow"), default=False, help_text=_("Off: numbers that begin so are barred."))
    kind = models.CharField(_("kind"), max_length=9, choices=DialRuleKind.choices, default=DialRuleKind.OTHER)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("dialling rule")
        verbose_name_plural = _("dialling rules")
        ordering = ["prefix"]
        constraints = [models.UniqueConstraint("tenant", "prefix", "whole", name="dial_rule_once_per_tenant")]

    def __str__(self) -> str:
        return f"{self.prefix}{'' if self.whole else '…'}"
