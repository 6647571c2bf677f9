"""Agents and queues as the core works with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from apps.agents.models import Agent, AgentSkill, DeviceChoice
from apps.core.config import (
    AgentConfig,
    CallbackOffer,
    ClosingTime,
    DeviceConfig,
    DeviceKind,
    Membership,
    NoAgents,
    Overflow,
    OverflowKind,
    QueueConfig,
    QueueLife,
    Ring,
    SkillNeed,
    Spoken,
    Strategy,
    TierRule,
)
from apps.core.ids import AgentId, QueueId, SkillId, SwitchId, TenantId, TrunkId
from apps.queues.models import Queue, QueueComfort, QueueMembership, QueueRing, QueueSkill
from apps.telephony.models import Prompt

Announcement = Callable[[int, str], Spoken]
"""From a tenant's key and a prompt's code to its files by language, the tenant's own language first."""


def agents(of: Mapping[str, int]) -> dict[AgentId, AgentConfig]:
    """Of every tenant, or of the one that ``of`` names as a filter."""
    within = {f"agent__{name}": value for name, value in of.items()}
    skills: dict[int, dict[SkillId, int]] = defaultdict(dict)
    for agent_id, code, proficiency in (
        AgentSkill.objects.filter(**within)
        .order_by("skill__code")
        .values_list("agent_id", "skill__code", "proficiency")
    ):
        skills[agent_id][SkillId(code)] = proficiency
    queues: dict[int, dict[QueueId, Membership]] = defaultdict(dict)
    for row in QueueMembership.objects.filter(**within).order_by("queue_id", "pk"):
        queues[row.agent_id][QueueId(str(row.queue_id))] = Membership(
            tier=row.tier, position=row.position, priority=row.priority
        )
    rows = Agent.objects.filter(**of, enabled=True).select_related("sip_account__switch", "outside_trunk__switch")
    return {
        AgentId(str(agent.pk)): AgentConfig(
            id=AgentId(str(agent.pk)),
            tenant=TenantId(str(agent.tenant_id)),
            name=agent.name,
            device=_device(agent),
            skills=skills[agent.pk],
            queues=queues[agent.pk],
            capacity=agent.capacity,
            may_decline=agent.may_decline,
        )
        for agent in rows.order_by("pk")
    }


def _device(agent: Agent) -> DeviceConfig | None:
    """None where the agent cannot be reached just now; such an agent is never offered a call."""
    if agent.device_kind == DeviceChoice.PSTN:
        trunk = agent.outside_trunk
        if trunk is None or not (trunk.enabled and trunk.outbound and trunk.switch.enabled and agent.outside_number):
            return None
        return DeviceConfig(
            kind=DeviceKind.PSTN,
            switch=SwitchId(str(trunk.switch_id)),
            address=agent.outside_number,
            trunk=TrunkId(str(trunk.pk)),
            kept_open=agent.kept_open,
        )
    account = agent.sip_account
    if account is None or not (account.enabled and account.switch.enabled):
        return None
    return DeviceConfig(
        kind=DeviceKind(agent.device_kind),
        switch=SwitchId(str(account.switch_id)),
        address=account.username,
        kept_open=agent.kept_open,
    )


def queues(of: Mapping[str, int], announcement: Announcement) -> dict[QueueId, QueueConfig]:
    within = {f"queue__{name}": value for name, value in of.items()}
    needs: dict[int, list[SkillNeed]] = defaultdict(list)
    for row in QueueSkill.objects.filter(**within).select_related("skill").order_by("skill__code"):
        need = SkillNeed(skill=SkillId(row.skill.code), level=row.level, required=row.required)
        needs[row.queue_id].append(need)
    relaxed: dict[int, list[QueueRing]] = defaultdict(list)
    for ring in QueueRing.objects.filter(**within).select_related("skill").order_by("after_s", "pk"):
        relaxed[ring.queue_id].append(ring)
    comforts: dict[int, list[str]] = defaultdict(list)
    for queue_id, code in QueueComfort.objects.filter(**within).values_list("queue_id", "prompt__code"):
        comforts[queue_id].append(code)
    rows = Queue.objects.filter(**of).select_related("music", "calendar", *_PROMPTS).order_by("pk")
    return {
        QueueId(str(queue.pk)): _queue(
            queue, tuple(needs[queue.pk]), rings_of(relaxed[queue.pk]), comforts[queue.pk], announcement
        )
        for queue in rows
    }


_PROMPTS = ("overflow_prompt", "whisper_prompt", "closed_prompt", "closing_prompt")


def rings_of(relaxations: Iterable[QueueRing]) -> tuple[Ring, ...]:
    """Relaxations of the same time are one ring. In the order of time."""
    by_time: dict[int, list[QueueRing]] = defaultdict(list)
    for row in relaxations:
        by_time[row.after_s].append(row)
    return tuple(_ring(after_s, by_time[after_s]) for after_s in sorted(by_time))


def _ring(after_s: int, rows: Iterable[QueueRing]) -> Ring:
    skills = [(SkillId(row.skill.code), row.level) for row in rows if row.skill is not None]
    return Ring(
        after_ms=after_s * 1000,
        drop=frozenset(skill for skill, level in skills if level is None),
        lower={skill: level for skill, level in skills if level is not None},
        tiers_up_to=max((row.tiers_up_to for row in rows if row.tiers_up_to is not None), default=None),
    )


def _queue(
    queue: Queue,
    needs: tuple[SkillNeed, ...],
    rings: tuple[Ring, ...],
    comforts: Iterable[str],
    announcement: Announcement,
) -> QueueConfig:
    return QueueConfig(
        id=QueueId(str(queue.pk)),
        tenant=TenantId(str(queue.tenant_id)),
        name=queue.name,
        needs=needs,
        strategy=Strategy(queue.strategy),
        rings=rings,
        tier_rule=TierRule(
            wait_ms=queue.tier_wait_s * 1000, multiply=queue.tier_wait_grows, skip_empty=queue.tier_skip_empty
        ),
        priority=queue.priority,
        ageing_s=queue.ageing_s,
        ring_step_ms=queue.ring_step_s * 1000,
        sticky_days=queue.sticky_days,
        sticky_wait_ms=queue.sticky_wait_s * 1000,
        resume_ms=queue.resume_s * 1000,
        max_wait_ms=queue.max_wait_s * 1000,
        ring_timeout_ms=queue.ring_timeout_s * 1000,
        wrap_up_ms=queue.wrap_up_s * 1000,
        disposition_required=queue.disposition_required,
        music=queue.music.name if queue.music else "default",
        record=queue.record,
        auto_answer=queue.auto_answer,
        # In the tenant's language alone: agents speak that, and the caller waits meanwhile.
        whisper_sounds=tuple(_files(queue, queue.whisper_prompt, announcement))[:1],
        may_decline=queue.may_decline,
        service_level_ms=queue.service_level_s * 1000,
        overflow=_way_out(queue, "overflow", announcement),
        life=_life(queue, comforts, announcement),
    )


def _files(queue: Queue, prompt: Prompt | None, announcement: Announcement) -> Iterable[str]:
    return (name for files in _spoken(queue, prompt, announcement).values() for name in files)


def _spoken(queue: Queue, prompt: Prompt | None, announcement: Announcement) -> Spoken:
    return {} if prompt is None else announcement(queue.tenant_id, prompt.code)


def _way_out(queue: Queue, rule: str, announcement: Announcement) -> Overflow:
    return Overflow(
        kind=OverflowKind(getattr(queue, f"{rule}_kind")),
        target=queue.target(rule)[1],
        sounds=tuple(_files(queue, getattr(queue, f"{rule}_prompt"), announcement)),
    )


def _life(queue: Queue, comforts: Iterable[str], announcement: Announcement) -> QueueLife:
    callback = CallbackOffer(
        key=queue.callback_key,
        from_wait_ms=queue.callback_from_s * 1000,
        agent_first=queue.callback_agent_first,
        attempts=queue.callback_attempts,
        retry_ms=queue.callback_retry_min * 60_000,
        window_ms=queue.callback_window_min * 60_000,
    )
    spoken = (announcement(queue.tenant_id, code) for code in comforts)
    tells = queue.tell_position or queue.tell_wait or (queue.callback and queue.callback_key)
    return QueueLife(
        calendar=f"{queue.tenant_id}/{queue.calendar.code}" if queue.calendar else "",
        closed=_way_out(queue, "closed", announcement) if queue.closed_kind else None,
        closing=ClosingTime(queue.closing),
        closing_sounds=_spoken(queue, queue.closing_prompt, announcement),
        max_callers=queue.max_callers,
        no_agents=NoAgents(queue.no_agents),
        no_agents_grace_ms=queue.no_agents_grace_s * 1000,
        comfort=tuple(words for words in spoken if words),
        comfort_every_ms=queue.comfort_every_s * 1000,
        tell_every_ms=queue.tell_every_s * 1000 if tells else 0,
        tell_position=queue.tell_position,
        tell_wait=queue.tell_wait,
        callback=callback if queue.callback else None,
    )
