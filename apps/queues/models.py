"""Queues and who serves them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import TenantOwned, code_name, dialable


class OverflowChoice(models.TextChoices):
    HANGUP = "hangup", _("End the call")
    QUEUE = "queue", _("Another queue")
    NUMBER = "number", _("A number")
    FLOW = "flow", _("A flow")


class Queue(TenantOwned):
    """A line of callers. Times are in seconds here, as people set them; the core counts milliseconds."""

    code = models.CharField(_("code"), max_length=40, validators=[code_name], help_text=_("As flows name it."))
    name = models.CharField(_("name"), max_length=100)
    skills = models.ManyToManyField(
        "agents.Skill",
        through="QueueSkill",
        blank=True,
        verbose_name=_("skills"),
        help_text=_("Required of every agent who serves here."),
    )
    members = models.ManyToManyField(
        "agents.Agent", through="QueueMembership", blank=True, verbose_name=_("agents"), related_name="queues"
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=5, validators=[MaxValueValidator(9)], help_text=_("0 to 9, 9 is served first.")
    )
    max_wait_s = models.PositiveIntegerField(
        _("longest wait, seconds"), default=900, validators=[MinValueValidator(1), MaxValueValidator(7200)]
    )
    ring_timeout_s = models.PositiveSmallIntegerField(
        _("ring time, seconds"), default=20, validators=[MinValueValidator(5), MaxValueValidator(120)]
    )
    wrap_up_s = models.PositiveSmallIntegerField(
        _("wrap-up, seconds"), default=30, validators=[MaxValueValidator(3600)]
    )
    service_level_s = models.PositiveSmallIntegerField(
        _("service level, seconds"), default=20, validators=[MinValueValidator(1), MaxValueValidator(3600)]
    )
    music = models.ForeignKey(
        "telephony.MusicClass", models.PROTECT, null=True, blank=True, verbose_name=_("music on hold")
    )
    record = models.BooleanField(_("record"), default=True)
    auto_answer = models.BooleanField(
        _("auto-answer"), default=False, help_text=_("The agent's device picks up by itself.")
    )

    whisper_prompt = models.ForeignKey(
        "telephony.Prompt",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("whisper"),
        help_text=_(
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
    overflow_prompt = models.ForeignKey(
        "telephony.Prompt",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("overflow prompt"),
        help_text=_("Played first."),
    )

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["name"]
        constraints = [models.UniqueConstraint("tenant", "code", name="queue_once_per_tenant")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        field, target = self.overflow_target()
        if field and not target:
            raise ValidationError({field: _("This overflow needs a target.")})
        if self._overflows_back():
            raise ValidationError(
                {"overflow_queue": _("Callers would come back to this queue: choose another target.")}
            )

    def overflow_target(self) -> tuple[str, str]:
        """The field that holds the target and the target as text; two empty texts where there is none."""
        if self.overflow_kind == OverflowChoice.QUEUE:
            return "overflow_queue", str(self.overflow_queue_id or "")
        if self.overflow_kind == OverflowChoice.NUMBER:
            return "overflow_number", self.overflow_number
        if self.overflow_kind == OverflowChoice.FLOW:
            return "overflow_flow", str(self.overflow_flow_id or "")
        return "", ""

    def _overflows_back(self) -> bool:
        """Following overflow queues from here leads here again."""
        seen = {self.pk}
        queue = self._next_queue()
        while queue is not None and queue.pk not in seen:
            seen.add(queue.pk)
            queue = queue._next_queue()
        return queue is not None and queue.pk == self.pk

    def _next_queue(self) -> Queue | None:
        return self.overflow_queue if self.overflow_kind == OverflowChoice.QUEUE else None


class QueueSkill(models.Model):
    queue = models.ForeignKey(Queue, models.CASCADE, verbose_name=_("queue"))
    skill = models.ForeignKey("agents.Skill", models.PROTECT, verbose_name=_("skill"))

    class Meta:
        verbose_name = _("required skill")
        verbose_name_plural = _("required skills")
        constraints = [models.UniqueConstraint("queue", "skill", name="skill_once_per_queue")]

    def __str__(self) -> str:
        return str(self.skill)


class QueueMembership(models.Model):
    queue = models.ForeignKey(Queue, models.CASCADE, verbose_name=_("queue"), related_name="memberships")
    agent = models.ForeignKey("agents.Agent", models.CASCADE, verbose_name=_("agent"), related_name="memberships")

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint("queue", "agent", name="agent_once_per_queue")]

    def __str__(self) -> str:
        return f"{self.queue}: {self.agent}"
