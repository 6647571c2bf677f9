"""What the REST interface remembers: tokens, requests that may be repeated, and commands given to the engine."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import TenantOwned
from apps.api.scopes import Scope

DEFAULT_RATE_PER_MIN = 600
MOST_RATE_PER_MIN = 6000
MOST_NETWORKS = 32


def validate_network(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValidationError(
            _("%(value)s is no address or network, e.g. 203.0.113.0/24."), params={"value": text}, code="network"
        ) from None


class ApiToken(TenantOwned):
    """A key of a program. The secret is shown once and kept only as a hash; ``prefix`` is for recognising it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens", verbose_name=_("made by")
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Of the program that uses it."))
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=32, choices=Scope.choices),
        verbose_name=_("scopes"),
        help_text=_("What it may do; never more than the role of whoever made it."),
    )
    networks = ArrayField(
        models.CharField(max_length=43, validators=[validate_network]),
        verbose_name=_("allowed addresses"),
        default=list,
        blank=True,
        size=MOST_NETWORKS,
        help_text=_("Addresses or networks the token may be used from, comma separated. Empty: any."),
    )
    rate_per_min = models.PositiveIntegerField(
        _("requests a minute"),
        default=DEFAULT_RATE_PER_MIN,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_RATE_PER_MIN)],
        help_text=_("More are answered with 429, and when to come back."),
    )
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Empty: never."))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    last_used_from = models.GenericIPAddressField(_("last used from"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class IdempotentRequest(TenantOwned):
    """A POST with an ``Idempotency-Key``: what was asked, and once it is known what was answered."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    headers = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint("tenant", "user", "key", name="idempotency_key_once")]
        indexes = [models.Index(fields=["started_at"])]

    def __str__(self) -> str:
        return self.key


class Command(TenantOwned):
    """Something asked of the engine. Its outcome comes back as a fact, which the recorder stores."""

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    action = models.CharField(_("action"), max_length=40)
    subject = models.CharField(_("about"), max_length=128, help_text=_("An agent's or a call's id."))
    created_at = models.DateTimeField(_("asked"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    refused_code = models.CharField(_("refused"), max_length=40, blank=True)
    refused_reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"

    @property
    def engine_id(self) -> str:
        """As the engine knows it: ``cmd_id`` of the request and of the fact that answers."""
        return f"api-{self.id}"
