"""The people and programs who sign in, and the teams they work in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.tenants import Tenant, TenantOwned


class Role(models.TextChoices):
    """A named set of permissions (``permissions.ROLES``)."""

    AGENT = "agent", _("Agent")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMIN = "admin", _("Administrator")
    INTEGRATOR = "integrator", _("Integrator")


class Reach(models.TextChoices):
    """Whose agents and calls somebody's permissions cover."""

    TENANT = "tenant", _("The whole tenant")
    TEAMS = "teams", _("The teams they lead")


class User(AbstractUser):
    """A person or a program that signs in. A superuser belongs to no tenant and sees all."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, blank=True, verbose_name=_("tenant"))
    role = models.CharField(
        _("role"),
        max_length=12,
        choices=Role.choices,
        default=Role.AGENT,
        help_text=_(
            "Agents take calls. Supervisors watch the floor, hear recordings and force states. Administrators do all "
            "this and configure. Integrators are programs: they use the REST interface."
        ),
    )
    reach = models.CharField(
        _("reach"),
        max_length=6,
        choices=Reach.choices,
        default=Reach.TENANT,
        help_text=_("For supervisors: whose agents and calls they see and command."),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=settings.LANGUAGES,
        blank=True,
        help_text=_("Empty: what the browser asks for."),
    )
    must_change_password = models.BooleanField(
        _("must change the password"),
        default=False,
        help_text=_("At the next sign-in. Set by itself when somebody else has chosen the password."),
    )
    password_set_at = models.DateTimeField(_("password set"), default=timezone.now, editable=False)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="only_superusers_have_no_tenant",
                condition=models.Q(tenant__isnull=False) | models.Q(is_superuser=True),
                violation_error_message=_("Choose a tenant: only a superuser has none."),
            )
        ]

    def get_full_name(self) -> str:
        """Chinese names are written family name first, without a space."""
        if any("一" <= letter <= "鿿" for letter in self.last_name + self.first_name):
            return self.last_name + self.first_name
        return super().get_full_name()

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username


class Team(TenantOwned):
    """Agents who are led together. An agent belongs to one at most; a supervisor may lead several."""

    name = models.CharField(_("name"), max_length=100)
    leaders = models.ManyToManyField(
        User,
        blank=True,
        related_name="led_teams",
        verbose_name=_("led by"),
        help_text=_("Supervisors. Those whose reach is their teams see and command these agents and no others."),
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "tenant",
                "name",
                name="team_once_per_tenant",
                violation_error_message=_("There is a team of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class PasswordUsed(models.Model):
    """A password somebody had, as its hash, so that it is not taken again."""

    user = models.ForeignKey(User, models.CASCADE, related_name="passwords_used")
    password = models.CharField(max_length=128)
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-replaced_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.user} {self.replaced_at:%Y-%m-%d}"
