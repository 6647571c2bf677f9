"""A queue over the day: when it takes callers, how many, what they hear, and a call back instead of waiting."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import whole_number
from apps.accounts.models import dialable


class OverflowChoice(models.TextChoices):
    HANGUP = "hangup", _("End the call")
    QUEUE = "queue", _("Another queue")
    NUMBER = "number", _("A number")
    FLOW = "flow", _("A flow")


class NoAgentsChoice(models.TextChoices):
    """When a queue counts as without agents."""

    NEVER = "never", _("never: callers wait")
    NOBODY_SIGNED_IN = "nobody_signed_in", _("nobody is signed in")
    NOBODY_SERVING = "nobody_serving", _("nobody is signed in and at work")


class ClosingChoice(models.TextChoices):
    """What becomes of those who wait when the queue closes."""

    SERVE = "serve", _("they are served")
    ANNOUNCE = "announce", _("they are told, and served")
    OVERFLOW = "overflow", _("they go where callers go when it is closed")


def a_prompt(name: Any, help_text: Any = "") -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        "telephony.Prompt", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=name,
        help_text=help_text,
    )  # fmt: skip


class QueueLife(models.Model):
    """The part of a queue's row that is about its day. Zero: never, or no limit."""

    calendar = models.ForeignKey(
        "telephony.Calendar",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("hours"),
        help_text=_("Empty: always open."),
    )
    closed_kind = models.CharField(
        _("when closed"),
        max_length=6,
        choices=OverflowChoice.choices,
        blank=True,
        help_text=_("Where callers go outside the hours. Empty: as when the queue cannot serve."),
    )
    closed_queue = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("queue when closed")
    )
    closed_number = models.CharField(_("number when closed"), max_length=33, blank=True, validators=[dialable])
    closed_flow = models.ForeignKey(
        "ivr.Flow", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("flow when closed")
    )
    closed_prompt = a_prompt(_("announcement when closed"), _("Played first."))
    closing = models.CharField(
        _("those waiting at closing time"),
        max_length=8,
        choices=ClosingChoice.choices,
        default=ClosingChoice.SERVE,
    )
    closing_prompt = a_prompt(_("announcement at closing time"))

    max_callers = models.PositiveIntegerField(
        _("most callers waiting"), default=0, validators=[MaxValueValidator(100_000)], help_text=_("0: no limit.")
    )
    no_agents = models.CharField(
        _("without agents when"),
        max_length=16,
        choices=NoAgentsChoice.choices,
        default=NoAgentsChoice.NEVER,
        help_text=_("Callers then go where the queue overflows to."),
    )
    no_agents_grace_s = whole_number(
        _("for longer than, seconds"), 0, 3600, default=30, help_text=_("An agent may come back.")
    )

    comfort_every_s = whole_number(
        _("comfort message every, seconds"), 0, 3600, default=0, help_text=_("One of those below, in turn; 0: none.")
    )
    tell_position = models.BooleanField(_("tell the place in line"), default=False)
    tell_wait = models.BooleanField(_("tell the expected wait"), default=False)
    tell_every_s = whole_number(_("tell it every, seconds"), 10, 3600, default=60)

    callback = models.BooleanField(
        _("offer a call back"),
        default=False,
        help_text=_("The caller hangs up and is called in turn: the place in line is kept."),
    )
    callback_key = models.CharField(
        _("key for a call back"),
        max_length=1,
        default="1",
        blank=True,
        validators=[RegexValidator(r"^[0-9*#]$", _("One of 0 to 9, * and #."))],
        help_text=_("Empty: only flows and programs book one."),
    )
    callback_from_s = whole_number(_("offered from an expected wait of, seconds"), 0, 7200, default=0)
    callback_agent_first = models.BooleanField(
        _("agent first"), default=True, help_text=_("Off: the customer's telephone rings first.")
    )
    callback_attempts = whole_number(_("attempts"), 1, 10, default=3)
    callback_retry_min = whole_number(_("between attempts, minutes"), 1, 1440, default=15)
    callback_window_min = whole_number(_("kept for, minutes"), 5, 10_080, default=240)

    class Meta:
        abstract = True


class QueueComfort(models.Model):
    """One of the messages that callers hear in turn."""

    queue = models.ForeignKey("queues.Queue", models.CASCADE, related_name="comforts", verbose_name=_("queue"))
    prompt = models.ForeignKey("telephony.Prompt", models.PROTECT, related_name="+", verbose_name=_("prompt"))
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        verbose_name = _("comfort message")
        verbose_name_plural = _("comfort messages")
        ordering = ["queue", "position", "pk"]
        constraints = [models.UniqueConstraint("queue", "prompt", name="comfort_once_per_queue")]

    def __str__(self) -> str:
        return str(self.prompt)
