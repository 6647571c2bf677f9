"""Agents, skills, pause reasons and dispositions as spreadsheets."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.fields import Field

from apps.accounts.models import Team, User
from apps.agents import services
from apps.agents.models import Agent, AgentSkill, Disposition, PauseReason, Skill
from apps.queues.models import Queue, QueueMembership
from apps.telephony.exchange import OwnForeignKey, TenantResource
from apps.telephony.models import Trunk

_SERVED = re.compile(r"([a-z][a-z0-9_]*)(?:=([1-9])(?:/([1-9][0-9]{0,3}))?(?:/([0-9]))?)?")
_FIGURES = ("tier", "position", "priority")
_SKILL = re.compile(r"([a-z][a-z0-9_]*(?::[a-z0-9_-]+)?)(?:=([1-5]))?")


class SkillResource(TenantResource):
    class Meta(TenantResource.Meta):
        model = Skill
        fields = ("code", "name")
        import_id_fields = ("code",)


class PauseReasonResource(TenantResource):
    class Meta(TenantResource.Meta):
        model = PauseReason
        fields = ("code", "name", "position", "each_min", "allowed_min")
        import_id_fields = ("code",)


class DispositionResource(TenantResource):
    """One that belongs to another comes after it."""

    parent = Field("parent", "parent", widget=OwnForeignKey(Disposition, "code"))

    class Meta(TenantResource.Meta):
        model = Disposition
        fields = ("code", "name", "parent", "position")
        import_id_fields = ("code",)


class AgentResource(TenantResource):
    """``skills`` reads ``lang:zh=5 network=3`` (1 to 5, 3 without a figure), ``queues`` ``sales support=2/1/9``: tier,
    position and the queue's priority for this agent, from the left as many as differ from 1, 1 and 5."""

    with_rows = {
        "agent_skills": AgentSkill.objects.select_related("skill").order_by("skill__code"),
        "memberships": QueueMembership.objects.select_related("queue").order_by("queue__code"),
    }

    user = Field("user", "user", widget=OwnForeignKey(User, "username"))
    team = Field("team", "team", widget=OwnForeignKey(Team, "name"))
    outside_trunk = Field("outside_trunk", "outside_trunk", widget=OwnForeignKey(Trunk, "gateway"))
    skills = Field(column_name="skills")
    queues = Field(column_name="queues")

    class Meta(TenantResource.Meta):
        model = Agent
        fields = (
            "number", "name", "user", "team", "enabled", "device_kind", "outside_number", "outside_trunk", "kept_open",
            "may_decline", "calls_at_once", "chats_at_once", "emails_at_once", "skills", "queues",
        )  # fmt: skip
        import_id_fields = ("number",)
        skip_unchanged = False  # skills and queues are no columns

    def dehydrate_skills(self, agent: Agent) -> str:
        return " ".join(f"{row.skill.code}={row.proficiency}" for row in self.rows_of(agent, "agent_skills"))

    def dehydrate_queues(self, agent: Agent) -> str:
        return " ".join(_served(row) for row in self.rows_of(agent, "memberships"))

    def after_save_instance(self, instance: Agent, row: dict[str, Any], **kwargs: Any) -> None:
        services.give_device(instance)
        if "skills" in row:
            self._set_skills(instance, str(row["skills"] or ""))
        if "queues" in row:
            self._set_queues(instance, str(row["queues"] or ""))

    def _set_skills(self, agent: Agent, text: str) -> None:
        wanted: dict[str, int] = {}
        for word in text.split():
            match = _SKILL.fullmatch(word)
            if match is None:
                raise ValidationError({"skills": _("“%(word)s” is not like lang:zh=5.") % {"word": word[:60]}})
            wanted[match[1]] = int(match[2] or 3)
        known = self.by_code(Skill, wanted, "skills")
        agent.agent_skills.exclude(skill__code__in=wanted).delete()
        for code, proficiency in wanted.items():
            AgentSkill.objects.update_or_create(agent=agent, skill=known[code], defaults={"proficiency": proficiency})

    def _set_queues(self, agent: Agent, text: str) -> None:
        wanted: dict[str, dict[str, int]] = {}
        for word in text.split():
            match = _SERVED.fullmatch(word)
            if match is None:
                raise ValidationError({"queues": _("“%(word)s” is not like support=2/1/9.") % {"word": word[:60]}})
            figures = [int(match[2] or 1), int(match[3] or 1), int(match[4] or 5)]
            wanted[match[1]] = dict(zip(_FIGURES, figures, strict=True))
        known = self.by_code(Queue, wanted, "queues")
        for row in agent.memberships.exclude(queue__code__in=wanted):
            row.delete()
        for code, place in wanted.items():
            QueueMembership.objects.update_or_create(agent=agent, queue=known[code], defaults=place)


def _served(row: QueueMembership) -> str:
    figures = f"{row.tier}/{row.position}/{row.priority}".removesuffix("/5").removesuffix("/1")
    return row.queue.code if figures == "1" else f"{row.queue.code}={figures}"
