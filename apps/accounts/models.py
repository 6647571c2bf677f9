"""Who uses the installation, and for which company. Everything else hangs on a tenant."""

from __future__ import annotations

import zoneinfo

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

# What a switch may be asked to dial (freeswitch.md section 12: anything else could be dial string syntax).
dialable = RegexValidator(r"^\+?[0-9*#]{1,32}$", _("Digits, * and #, with an optional leading +, at most 32."))
code_name = RegexValidator(r"^[a-z][a-z0-9_]{0,39}$", _("Small letters, digits and _, starting with a letter."))


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("Unknown time zone, expected a name such as Asia/Shanghai."))


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


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMIN = "admin", _("Administrator")
    INTEGRATOR = "integrator", _("Integrator")


class User(AbstractUser):
    """A person or a program that signs in. A superuser belongs to no tenant and sees all."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, blank=True, verbose_name=_("tenant"))
    role = models.CharField(_("role"), max_length=12, choices=Role.choices, default=Role.AGENT)
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=settings.LANGUAGES,
        blank=True,
        help_text=_("Empty: what the browser asks for."),
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="only_superusers_have_no_tenant",
                condition=models.Q(tenant__isnull=False) | models.Q(is_superuser=True),
                violation_error_message=_("Choose a tenant: only a superuser has none."),
            )
        ]

    @property
    def display_name(self) -> str:
        """Chinese names are written family name first, without a space."""
        if any("一" <= letter <= "鿿" for letter in self.last_name + self.first_name):
            return self.last_name + self.first_name
        return self.get_full_name() or self.username
