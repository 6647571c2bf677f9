"""A queue: its order of callers, its way of choosing among agents, and what follows for whom nobody serves."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import whole_number
from apps.accounts.models import Coded, dialable
from apps.queues.models.life import OverflowChoice, QueueLife, a_prompt


class StrategyChoice(models.TextChoices):
    """How one of the agents who can serve is chosen; the core's words (docs/routing.md)."""

    LONGEST_IDLE = "longest_idle", _("longest idle")
    LEAST_TALK_TIME = "least_talk_time", _("least talk time")
    FEWEST_CALLS = "fewest_calls", _("fewest calls")
    ROUND_ROBIN = "round_robin", _("round robin")
    TOP_DOWN = "top_down", _("top-down by tier and position")
    RANDOM = "random", _("random")
    RING_ALL = "ring_all", _("ring all")
    RING_PROGRESSIVELY = "ring_progressively", _("ring progressively")
    BEST_SKILL = "best_skill", _("best skill first")


class Queue(QueueLife, Coded):
    """A line of callers. Times are in seconds here, as people set them; the core counts milliseconds."""

    skills = models.ManyToManyField("agents.Skill", through="QueueSkill", blank=True, verbose_name=_("skills"))
    members = models.ManyToManyField(
        "agents.Agent", through="QueueMembership", blank=True, verbose_name=_("agents"), related_name="queues"
    )
    priority = whole_number(_("priority"), 0, 9, default=5, help_text=_("0 to 9, 9 is served first."))
    ageing_s = whole_number(
        _("ageing, seconds"),
        0,
        3600,
        default=0,
        help_text=_("A caller rises by one priority for every so many seconds of waiting; 0: never."),
    )
    strategy = models.CharField(
        _("strategy"),
        max_length=18,
        choices=StrategyChoice.choices,
        default=StrategyChoice.LONGEST_IDLE,
        help_text=_("Which of the agents who can serve a caller is rung."),
    )
    ring_step_s = whole_number(
        _("another agent every, seconds"), 1, 60, default=5, help_text=_("When ringing progressively.")
    )
    tier_wait_s = whole_number(
        _("wait for each tier, seconds"),
        0,
        3600,
        default=0,
        help_text=_("The second tier joins after this, the third after twice that; 0: all at once."),
    )
    tier_wait_grows = models.BooleanField(
        _("for each tier again"), default=True, help_text=_("Off: all further tiers join together.")
    )
    tier_skip_empty = models.BooleanField(
        _("pass over empty tiers"),
        default=True,
        help_text=_("A tier in which nobody is signed in is not waited for."),
    )
    sticky_days = whole_number(
        _("last agent first, days"),
        0,
        90,
        default=0,
        help_text=_("Whoever talked with the caller within so many days is asked first; 0: nobody is."),
    )
    sticky_wait_s = whole_number(
        _("wait for the last agent, seconds"), 0, 600, default=15, help_text=_("Then anybody who can serve is asked.")
    )
    resume_s = whole_number(
        _("place kept after hanging up, seconds"),
        0,
        3600,
        default=0,
        help_text=_("A caller who hung up while waiting and calls again within this time has the old place; 0: no."),
    )
    max_wait_s = whole_number(_("longest wait, seconds"), 1, 7200, default=900)
    ring_timeout_s = whole_number(_("ring time, seconds"), 5, 120, default=20)
    wrap_up_s = whole_number(_("wrap-up, seconds"), 0, 3600, default=30)
    disposition_required = models.BooleanField(
        _("result required"),
        default=True,
        help_text=_(
            "Wrap-up cannot be finished without one; when its time is up the call is listed for the agent to complete."
        ),
    )
    service_level_s = whole_number(_("service level, seconds"), 1, 3600, default=20)
    music = models.ForeignKey(
        "telephony.MusicClass", models.PROTECT, null=True, blank=True, verbose_name=_("music on hold")
    )
    record = models.BooleanField(_("record"), default=True)
    auto_answer = models.BooleanField(
        _("auto-answer"), default=False, help_text=_("The agent's device picks up by itself.")
    )

    whisper_prompt = a_prompt(
        _("whisper"),
        _(
            "With auto-answer: said to the agent alone before the caller is connected, e.g. the queue's name. It is cut"
            " off after 4 s."
        ),
    )
    may_decline = models.BooleanField(
        _("offers may be declined"),
        default=True,
        help_text=_("By agents who may decline; the caller keeps the place in line."),
    )

    overflow_kind = models.CharField(
        _("overflow"),
        max_length=6,
        choices=OverflowChoice.choices,
        default=OverflowChoice.HANGUP,
        help_text=_("Where a caller goes who cannot be served here."),
    )
    overflow_queue = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("overflow queue")
    )
    overflow_number = models.CharField(_("overflow number"), max_length=33, blank=True, validators=[dialable])
    overflow_flow = models.ForeignKey(
        "ivr.Flow", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("overflow flow")
    )
    overflow_prompt = a_prompt(_("overflow prompt"), _("Played first."))

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["name"]
        constraints = [models.UniqueConstraint("tenant", "code", name="queue_once_per_tenant")]

    def clean(self) -> None:
        for rule in ("overflow", "closed"):
            field, target = self.target(rule)
            if field and not target:
                raise ValidationError({field: _("This overflow needs a target.")})
            if target and getattr(self, f"{rule}_kind") == OverflowChoice.FLOW:
                getattr(self, field).must_answer(field)

    def target(self, rule: str) -> tuple[str, str]:
        """Of ``overflow`` or ``closed``: the field that holds the target, and the target as text.

        Two empty texts where there is none.
        """
        kind = getattr(self, f"{rule}_kind")
        if kind in ("", OverflowChoice.HANGUP):
            return "", ""
        column = f"{rule}_{kind}" if kind == OverflowChoice.NUMBER else f"{rule}_{kind}_id"
        return f"{rule}_{kind}", str(getattr(self, column) or "")
