"""Endpoints of other programs, what is to be told to them, and how each attempt went."""

from __future__ import annotations

import base64
import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts import sealing
from apps.accounts.fields import person
from apps.accounts.models import TenantOwned
from apps.webhooks.destinations import validate_url


def new_secret() -> str:
    """As Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def new_sealed_secret() -> str:
    return sealing.seal(new_secret())


class EventType(models.TextChoices):
    CALL_ARRIVED = "call.arrived", _("Call arrived")
    CALL_DIALED = "call.dialed", _("Call dialled")
    CALL_QUEUED = "call.queued", _("Call queued")
    CALL_OFFERED = "call.offered", _("Call offered to an agent")
    CALL_ANSWERED = "call.answered", _("Call answered")
    CALL_CONSULTED = "call.consulted", _("Somebody asked about a call")
    CALL_CONSULT_ENDED = "call.consult_ended", _("Consult about a call ended")
    CALL_THREE_WAY = "call.three_way", _("Three-way call began")
    CALL_ENDED = "call.ended", _("Call ended")
    CALL_WRAPPED_UP = "call.wrapped_up", _("Call wrapped up")
    CALLBACK_BOOKED = "callback.booked", _("Call back booked")
    CALLBACK_TRIED = "callback.tried", _("Call back tried in vain")
    CALLBACK_ENDED = "callback.ended", _("Call back ended")
    AGENT_STATE_CHANGED = "agent.state_changed", _("Agent's state changed")
    RECORDING_READY = "recording.ready", _("Recording ready")


PING = "ping"


class Endpoint(TenantOwned):
    """Where to send, what, and with which key it is signed."""

    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[validate_url],
        help_text=_("Where messages are sent by POST: https, and not in this installation's own network."),
    )
    description = models.CharField(
        _("description"), max_length=200, blank=True, help_text=_("For people: which program this is, and whose.")
    )
    events = ArrayField(
        models.CharField(max_length=32, choices=EventType.choices),
        verbose_name=_("events"),
        help_text=_("What it is told."),
    )
    active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Switched off by itself after a day of failures, or when the receiver answers 410."),
    )
    sealed_secret = models.TextField(default=new_sealed_secret, editable=False)
    sealed_old_secret = models.TextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(_("old key signs until"), null=True, editable=False)
    made_by = person(_("made by"))
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    disabled_at = models.DateTimeField(_("switched off"), null=True, editable=False)
    disabled_reason = models.CharField(_("why it was switched off"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["pk"]
        indexes = [models.Index(fields=["tenant"], condition=models.Q(active=True), name="endpoint_active")]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """The key that messages are signed with. Raises ``sealing.Unreadable``."""
        return sealing.unseal(self.sealed_secret)

    @property
    def old_secret(self) -> str:
        """The one before, empty where there is none. Raises ``sealing.Unreadable``."""
        return sealing.unseal(self.sealed_old_secret) if self.sealed_old_secret else ""


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", _("pending")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")


class Delivery(TenantOwned):
    """One message to one endpoint: the outbox while it is pending, the log after.

    ``stream`` is what it is about: messages of one stream are sent in order. ``leased_until`` is while a worker has it.
    """

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries", verbose_name=_("webhook"))
    message_id = models.CharField(_("message"), max_length=40, unique=True)
    event = models.CharField(_("event"), max_length=32)
    stream = models.TextField(blank=True)
    payload = models.JSONField(_("content"))
    created_at = models.DateTimeField(_("made"))
    due_at = models.DateTimeField(_("due"))
    give_up_at = models.DateTimeField(_("tried until"))
    leased_until = models.DateTimeField(null=True)
    status = models.CharField(_("status"), max_length=9, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at", "id"], condition=models.Q(status="pending"), name="delivery_due"
            ),
            models.Index(
                fields=["endpoint", "stream", "id"], condition=models.Q(status="pending"), name="delivery_turn"
            ),
            models.Index(fields=["endpoint", "-created_at"]),
            models.Index(fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return self.message_id


class Attempt(models.Model):
    """One try: what was sent and what came back, as far as it helps to find a fault."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries", verbose_name=_("delivery"))
    at = models.DateTimeField(_("at"))
    latency_ms = models.PositiveIntegerField(_("latency, ms"))
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    error = models.TextField(_("error"), blank=True)
    request_excerpt = models.TextField(_("sent"))
    response_excerpt = models.TextField(_("answer"), blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.status or self.error}"
