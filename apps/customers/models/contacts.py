"""What ties customers to calls: how a tenant's numbers are read, whom a call was with, and what was noted."""

from __future__ import annotations

import phonenumbers
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import person
from apps.accounts.models import Tenant, TenantOwned
from apps.customers.models.people import Customer
from apps.customers.numbers import Plan

digits = RegexValidator(r"^\d*$", _("Digits only."))


def validate_region(code: str) -> None:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationError(_("Unknown region, expected two letters such as CN."))


def usual_prefixes() -> list[str]:
    return list(Plan().outside_prefixes)


class NumberPlan(models.Model):
    """How a tenant's numbers are read. A tenant without one has the usual Chinese plan."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, verbose_name=_("tenant"), related_name="number_plan")
    region = models.CharField(
        _("region"),
        max_length=2,
        default="CN",
        validators=[validate_region],
        help_text=_("Where numbers without a country code are at home: two letters such as CN."),
    )
    area_code = models.CharField(
        _("area code"),
        max_length=4,
        blank=True,
        validators=[digits],
        help_text=_("Without the leading 0, e.g. 21: completes local numbers that arrive without one."),
    )
    outside_prefixes = ArrayField(
        models.CharField(max_length=4, validators=[digits]),
        default=usual_prefixes,
        blank=True,
        verbose_name=_("prefixes"),
        help_text=_("Digits that your PBX or a carrier may put in front of a caller's number, comma separated."),
    )

    class Meta:
        verbose_name = _("number plan")
        verbose_name_plural = _("number plans")
        ordering = ["tenant"]

    def __str__(self) -> str:
        return self.region

    def as_plan(self) -> Plan:
        prefixes = tuple(prefix for prefix in self.outside_prefixes if prefix)
        return Plan(region=self.region, area_code=self.area_code, outside_prefixes=prefixes)


class Note(TenantOwned):
    """What somebody wrote about a customer. Authors may leave: their name stays with what they wrote."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="written_notes", verbose_name=_("customer"))
    text = models.TextField(_("text"), max_length=4000)
    author = person(_("author"))
    author_name = models.CharField(_("author's name"), max_length=160, blank=True)
    call_id = models.CharField(_("call"), max_length=128, blank=True, help_text=_("During which it was written."))
    created_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["customer", "-created_at"])]

    def __str__(self) -> str:
        return self.text[:60]


class CallLink(TenantOwned):
    """Whom a call was with, said by a person. Without one, a call is with whoever has its number.

    No foreign key to the call: the link is made while the call is live, before history has it.
    """

    call_id = models.CharField(_("call"), max_length=128)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="call_links", verbose_name=_("customer"))
    linked_by = person(_("linked by"))
    linked_at = models.DateTimeField(_("linked"), auto_now=True)

    class Meta:
        verbose_name = _("call of a customer")
        verbose_name_plural = _("calls of customers")
        ordering = ["-linked_at"]
        constraints = [models.UniqueConstraint("tenant", "call_id", name="one_customer_per_call")]

    def __str__(self) -> str:
        return self.call_id
