"""Who serves a queue, what they must be able to do, and how that is relaxed while somebody waits."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import whole_number, whole_number_or_none
from apps.queues.models.queues import Queue

MOST_TIERS = 9


class QueueSkill(models.Model):
    """What a queue asks of an agent. Several are all asked for."""

    queue = models.ForeignKey(Queue, models.CASCADE, verbose_name=_("queue"), related_name="needs")
    skill = models.ForeignKey("agents.Skill", models.PROTECT, verbose_name=_("skill"), related_name="+")
    level = whole_number(_("level"), 1, 5, default=1, help_text=_("The proficiency asked for, 1 to 5."))
    required = models.BooleanField(
        _("required"), default=True, help_text=_("Off: preferred. It ranks those who can serve and keeps nobody out.")
    )

    class Meta:
        verbose_name = _("skill of a queue")
        verbose_name_plural = _("skills of a queue")
        ordering = ["queue", "skill"]
        constraints = [models.UniqueConstraint("queue", "skill", name="skill_once_per_queue")]

    def __str__(self) -> str:
        return f"{self.skill} {self.level}"


class QueueRing(models.Model):
    """One relaxation after a time of waiting. Those of the same time are one ring; what they relax stays relaxed."""

    queue = models.ForeignKey(Queue, models.CASCADE, verbose_name=_("queue"), related_name="rings")
    after_s = whole_number(_("after, seconds"), 1, 7200)
    skill = models.ForeignKey(
        "agents.Skill", models.PROTECT, null=True, blank=True, verbose_name=_("skill"), related_name="+"
    )
    level = whole_number_or_none(_("lowered to"), 1, 4, help_text=_("Empty: the skill is no longer asked for."))
    tiers_up_to = whole_number_or_none(
        _("tiers up to"), 1, MOST_TIERS, help_text=_("These join now, whatever the tier rule says.")
    )

    class Meta:
        verbose_name = _("relaxation")
        verbose_name_plural = _("relaxations")
        ordering = ["queue", "after_s", "pk"]
        constraints = [
            models.UniqueConstraint(
                "queue",
                "after_s",
                "skill",
                name="relaxed_once_per_ring",
                violation_error_message=_("This skill is relaxed twice at the same time."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.after_s} s"

    def clean(self) -> None:
        if self.skill_id is None and self.tiers_up_to is None:
            raise ValidationError(_("Say which skill is relaxed, or which tiers join."))
        if self.skill_id is None and self.level is not None:
            raise ValidationError({"level": _("A level is of a skill: choose one.")})


class QueueMembership(models.Model):
    """An agent serves a queue."""

    queue = models.ForeignKey(Queue, models.CASCADE, verbose_name=_("queue"), related_name="memberships")
    agent = models.ForeignKey("agents.Agent", models.CASCADE, verbose_name=_("agent"), related_name="memberships")
    tier = whole_number(_("tier"), 1, MOST_TIERS, default=1, help_text=_("1 is the first line."))
    position = whole_number(
        _("position"),
        1,
        9999,
        default=1,
        help_text=_("Within the tier, 1 first; for top-down, and where all else is equal."),
    )
    priority = whole_number(
        _("queue's priority"),
        0,
        9,
        default=5,
        help_text=_("Of this queue among those that the agent serves, 0 to 9; 9 is served first."),
    )

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["queue", "tier", "position", "pk"]
        constraints = [models.UniqueConstraint("queue", "agent", name="agent_once_per_queue")]

    def __str__(self) -> str:
        return f"{self.queue}: {self.agent}"
