"""History: what the engine's facts say happened. Written by ``services.record_facts`` alone, never edited.

Texts and ids come from facts and are kept whatever they hold. References to configuration carry no database
constraint and no cascade: a row deleted meanwhile must neither block recording nor take history with it.
Times of engine facts are milliseconds since the epoch; here they are ``timestamptz``. Durations are ``*_ms``.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import History, LenientKey
from apps.core.callbacks.model import CallbackSource
from apps.core.events import HangupCause, LegRole
from apps.core.facts import CallbackOutcome, CallOutcome, DialOutcome, Direction, OfferOutcome


def choices(enum: type) -> list[tuple[str, Any]]:
    """The core's words with their translations."""
    return [(item.value, WORDS.get(item.value, item.value)) for item in enum]  # type: ignore[attr-defined]


WORDS = {
    "inbound": _("inbound"),
    "outbound": _("outbound"),
    "served": _("served"),
    "abandoned": _("abandoned"),
    "left_in_ivr": _("left in menu"),
    "self_served": _("self-served"),
    "overflowed": _("overflowed"),
    "unknown_did": _("unknown number"),
    "failed": _("failed"),
    "removed": _("removed"),
    "not_reached": _("not reached"),
    "customer": _("customer"),
    "agent": _("agent"),
    "external": _("external"),
    "normal": _("normal"),
    "busy": _("busy"),
    "no_answer": _("no answer"),
    "rejected": _("rejected"),
    "not_registered": _("not registered"),
    "unallocated": _("no such number"),
    "unreachable": _("unreachable"),
    "congestion": _("congestion"),
    "cancelled": _("cancelled"),
    "answered_elsewhere": _("answered elsewhere"),
    "media_timeout": _("media timeout"),
    "invalid": _("invalid"),
    "lost": _("lost"),
    "error": _("error"),
    "answered": _("answered"),
    "declined": _("declined"),
    "caller_left": _("caller left"),
    "withdrawn": _("withdrawn"),
    "unacknowledged": _("console did not respond"),
    "queue": _("while waiting"),
    "flow": _("in a menu"),
    "web": _("by a program"),
    "expired": _("expired"),
    "device": _("agent's telephone"),
}


class Call(History):
    id = models.TextField(_("id"), primary_key=True)
    switch = LenientKey("telephony.Switch", verbose_name=_("switch"))
    direction = models.CharField(_("direction"), max_length=8, choices=choices(Direction), default="inbound")
    did = models.TextField(_("number called"), blank=True)
    caller_number = models.TextField(_("caller"), blank=True)
    caller_name = models.TextField(_("caller's name"), blank=True)
    trunk_name = models.TextField(_("trunk"), blank=True, help_text=_("As the switch names it."))

    started_at = models.DateTimeField(_("started"))
    answered_at = models.DateTimeField(_("answered"), null=True, help_text=_("By the flow or an agent."))
    connected_at = models.DateTimeField(_("connected"), null=True, help_text=_("First talk."))
    ended_at = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=choices(CallOutcome), blank=True)
    cause = models.CharField(_("cause"), max_length=20, choices=choices(HangupCause), blank=True)

    first_queue = LenientKey("queues.Queue", verbose_name=_("first queue"))
    last_queue = LenientKey("queues.Queue", verbose_name=_("last queue"))
    last_agent = LenientKey("agents.Agent", verbose_name=_("last agent"))
    wait_ms = models.BigIntegerField(_("wait, ms"), default=0)
    talk_ms = models.BigIntegerField(_("talk, ms"), default=0)
    hold_ms = models.BigIntegerField(_("hold, ms"), default=0)
    wrap_up_ms = models.BigIntegerField(_("wrap-up, ms"), default=0)
    customer_leg_id = models.TextField(blank=True)
    segment_count = models.PositiveIntegerField(default=0)
    last_epoch = models.TextField(blank=True)
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["tenant", "-started_at"]),
            models.Index(fields=["-started_at"]),  # all tenants together, for those who see them all
            models.Index(fields=["tenant", "caller_number", "-started_at"]),
            models.Index(fields=["tenant", "did", "-started_at"]),
            models.Index(fields=["last_agent", "-started_at"]),
            models.Index(fields=["last_queue", "-started_at"]),
            models.Index(fields=["tenant", "started_at"], condition=models.Q(ended_at=None), name="call_live"),
            # Any part of a number or a name (search.fits): pieces of three characters.
            GinIndex(
                OpClass("caller_number", name="gin_trgm_ops"),
                OpClass("did", name="gin_trgm_ops"),
                OpClass(Upper("caller_name"), name="gin_trgm_ops"),
                name="call_search",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Leg(History):
    id = models.TextField(_("id"), primary_key=True)
    call = models.ForeignKey(Call, models.CASCADE, related_name="legs", verbose_name=_("call"))
    switch = LenientKey("telephony.Switch", verbose_name=_("switch"))
    role = models.CharField(_("role"), max_length=8, choices=choices(LegRole))
    agent = LenientKey("agents.Agent", verbose_name=_("agent"))
    queue = LenientKey("queues.Queue", verbose_name=_("queue"))
    address = models.TextField(_("address"), blank=True)
    started_at = models.DateTimeField(_("started"))
    rang_at = models.DateTimeField(_("rang"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    cause = models.CharField(_("cause"), max_length=20, choices=choices(HangupCause), blank=True)
    raw_cause = models.TextField(_("switch's cause"), blank=True)

    class Meta:
        verbose_name = _("leg")
        verbose_name_plural = _("legs")
        ordering = ["started_at", "id"]

    def __str__(self) -> str:
        return self.id


class SegmentKind(models.TextChoices):
    IVR = "ivr", _("menu")
    QUEUE = "queue", _("waiting")
    TALK = "talk", _("talk")
    HOLD = "hold", _("hold")
    TRANSFER = "transfer", _("transfer")
    CONSULT = "consult", _("consult")
    CONFERENCE = "conference", _("three-way")
    CALLBACK = "callback", _("waiting for a call back")


class Segment(History):
    """A stretch of the caller's time. Segments of a call follow one another."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="segments", verbose_name=_("call"))
    sequence = models.PositiveIntegerField(_("sequence"))
    kind = models.CharField(_("kind"), max_length=12, choices=SegmentKind.choices)
    queue = LenientKey("queues.Queue", verbose_name=_("queue"))
    agent = LenientKey("agents.Agent", verbose_name=_("agent"))
    other_agent = LenientKey(
        "agents.Agent", verbose_name=_("other agent"), help_text=_("Who was asked, or was the third, if an agent.")
    )
    leg_id = models.TextField(_("leg"), blank=True, help_text=_("Whom the caller talks with."))
    detail = models.TextField(
        _("detail"), blank=True, help_text=_("The flow's version, or a transfer's or consult's target.")
    )
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    duration_ms = models.BigIntegerField(_("duration, ms"), null=True)
    outcome = models.TextField(_("outcome"), blank=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["call", "sequence"]
        constraints = [models.UniqueConstraint("call", "sequence", name="segment_once")]
        indexes = [
            models.Index(fields=["started_at"]),
            models.Index(fields=["ended_at"]),
            models.Index(fields=["queue", "started_at"]),
            models.Index(fields=["agent", "started_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.get_kind_display()}"


class Decision(History):
    """Why this agent got this call: one row an offer."""

    leg_id = models.TextField(_("leg"), primary_key=True)
    call = models.ForeignKey(Call, models.CASCADE, related_name="decisions", verbose_name=_("call"))
    at = models.DateTimeField(_("at"))
    queue = LenientKey("queues.Queue", verbose_name=_("queue"))
    agent = LenientKey("agents.Agent", verbose_name=_("agent"))
    rule = models.TextField(_("rule"))
    ready_agents = models.PositiveIntegerField(_("ready agents"))
    waiting_calls = models.PositiveIntegerField(_("waiting calls"))
    idle_since = models.DateTimeField(_("idle since"), null=True)
    trace = models.JSONField(
        _("trace"), null=True, help_text=_("All that was decided from, as the engine put it on record.")
    )
    ended_at = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=choices(OfferOutcome), blank=True)
    cause = models.CharField(_("cause"), max_length=20, choices=choices(HangupCause), blank=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["at"]
        indexes = [models.Index(fields=["agent", "at"]), models.Index(fields=["queue", "at"])]

    def __str__(self) -> str:
        return self.leg_id


class Callback(History):
    """A place in line that waits for a call back: one row a booking. Its call goes on, and has the talk as well."""

    id = models.TextField(_("id"), primary_key=True)
    call = models.ForeignKey(Call, models.CASCADE, related_name="callbacks", verbose_name=_("call"))
    queue = LenientKey("queues.Queue", verbose_name=_("queue"))
    number = models.TextField(_("number"))
    source = models.CharField(_("asked for"), max_length=8, choices=choices(CallbackSource))
    agent_first = models.BooleanField(_("agent first"))
    booked_at = models.DateTimeField(_("booked"))
    queued_at = models.DateTimeField(_("place in line since"))
    due_at = models.DateTimeField(_("due"), help_text=_("Not called before."))
    until_at = models.DateTimeField(_("kept until"))
    tried = models.PositiveIntegerField(_("tries"), default=0)
    last_try = models.CharField(_("last try"), max_length=20, choices=choices(DialOutcome), blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=choices(CallbackOutcome), blank=True)
    actor = models.TextField(_("asked by"), blank=True)
    command = models.TextField(blank=True, help_text="The request's id, when a program asked.")

    class Meta:
        verbose_name = _("call back")
        verbose_name_plural = _("calls back")
        ordering = ["-booked_at"]
        indexes = [
            models.Index(fields=["tenant", "-booked_at"]),
            models.Index(fields=["queue", "due_at"], condition=models.Q(ended_at=None), name="callback_open"),
        ]

    def __str__(self) -> str:
        return self.id


class CallDisposition(History):
    """What an agent noted about a call in wrap-up."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="dispositions", verbose_name=_("call"))
    agent = LenientKey("agents.Agent", verbose_name=_("agent"))
    epoch = models.TextField()
    seq = models.BigIntegerField()
    at = models.DateTimeField(_("at"))
    disposition = models.TextField(_("disposition"), help_text=_("Its code; UNSET when wrap-up ran out."))
    note = models.TextField(_("note"), blank=True)
    wrap_up_ms = models.BigIntegerField(_("wrap-up, ms"))

    class Meta:
        verbose_name = _("disposition of a call")
        verbose_name_plural = _("dispositions of a call")
        ordering = ["at"]
        constraints = [models.UniqueConstraint("epoch", "seq", name="call_disposition_once")]
        indexes = [models.Index(fields=["agent", "at"]), models.Index(fields=["at"])]

    def __str__(self) -> str:
        return self.disposition


class AgentStateSpan(History):
    """How long an agent was in a state. Nothing is kept for LOGGED_OUT: it is the absence of a span."""

    agent = LenientKey("agents.Agent", verbose_name=_("agent"))
    epoch = models.TextField()
    seq = models.BigIntegerField()
    state = models.TextField(_("state"))
    reason = models.TextField(_("reason"), blank=True)
    call_id = models.TextField(_("call"), blank=True)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("agent state")
        verbose_name_plural = _("agent states")
        ordering = ["-started_at"]
        constraints = [models.UniqueConstraint("epoch", "seq", name="agent_state_span_once")]
        indexes = [
            models.Index(fields=["agent", "-started_at"]),
            models.Index(fields=["tenant", "started_at"]),
            models.Index(fields=["tenant", "ended_at"]),
            models.Index(fields=["agent", "ended_at"]),
        ]

    def __str__(self) -> str:
        return self.state


class FactRecord(models.Model):
    """Every fact as the engine stored it: the guard against counting one twice, and the audit trail.

    Ids are text: this table refuses nothing.
    """

    epoch = models.TextField()
    seq = models.BigIntegerField()
    at = models.DateTimeField(_("at"))
    tenant = models.TextField(_("tenant"), blank=True)
    call = models.TextField(_("call"), blank=True)
    type = models.TextField(_("type"))
    data = models.JSONField(_("data"))

    pk = models.CompositePrimaryKey("epoch", "seq")

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        indexes = [
            models.Index(fields=["call", "seq"], condition=~models.Q(call=""), name="fact_of_call"),
            models.Index(fields=["tenant", "at"]),
            models.Index(fields=["type", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.epoch}/{self.seq} {self.type}"
