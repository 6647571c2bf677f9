"""People and companies who call."""

from __future__ import annotations

import phonenumbers
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import TenantOwned


def validate_e164(number: str) -> None:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException as error:
        raise ValidationError(_("Expected an international number such as +8613800138000.")) from error
    if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) != number:
        raise ValidationError(_("Expected an international number such as +8613800138000."))


class Customer(TenantOwned):
    name = models.CharField(_("name"), max_length=100)
    number = models.CharField(_("number"), max_length=16, validators=[validate_e164], help_text="E.164")
    company = models.CharField(_("company"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("tags"))
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name"]
        # Not unique: a family or an office may share a number.
        indexes = [models.Index(fields=["tenant", "number"])]

    def __str__(self) -> str:
        return self.name
