"""All configuration rows as the one frozen value that the core works with."""

from __future__ import annotations

import datetime
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from apps.accounts.models import Tenant
from apps.agents.models import Agent, AgentSkill, DeviceChoice, Disposition, PauseReason
from apps.core.config import (
    AgentConfig,
    CalendarConfig,
    CenterConfig,
    DeviceConfig,
    DeviceKind,
    DialPolicy,
    DialRule,
    DidConfig,
    FlowConfig,
    Membership,
    OpeningSpan,
    Overflow,
    OverflowKind,
    QueueConfig,
    SkillNeed,
    TenantConfig,
    TrunkConfig,
)
from apps.core.ids import AgentId, FlowId, QueueId, SkillId, SwitchId, TenantId, TrunkId
from apps.ivr.models import Flow
from apps.queues.models import Queue, QueueMembership, QueueSkill
from apps.telephony.models import Calendar, ConfigVersion, Did, Prompt, Trunk
from apps.telephony.models import DialPolicy as DialPolicyRow
from apps.telephony.models import DialRule as DialRuleRow
from apps.telephony.models.calendars import closing_minute

PromptSounds = Mapping[str, Mapping[str, str]]  # prompt code -> language -> file
# Flows speak of languages as callers choose them, people of interface languages.
FLOW_LANGUAGES = {"zh-hans": ("zh", "en"), "en": ("en", "zh")}


def current_version() -> int:
    """The version of the stored configuration; 0 where nothing was ever configured."""
    return ConfigVersion.objects.values_list("version", flat=True).first() or 0


def compile_center_config(version: int) -> CenterConfig:
    """Every tenant's configuration in a fixed number of queries, whatever their size.

    Disabled agents and trunks are left out; so are numbers of flows that were never published. Whatever is missing
    (a sound not rendered yet) makes the value smaller, never wrong.
    """
    sounds = _sounds_by_tenant()
    tenants = list(Tenant.objects.order_by("pk"))
    announcements = {tenant.pk: _announcement(sounds, tenant, tenant.unknown_did_prompt) for tenant in tenants}
    return CenterConfig(
        version=version,
        tenants=_tenants(tenants, sounds, announcements),
        agents=_agents(),
        queues=_queues(sounds, tenants),
        trunks=_trunks(),
        dids=_dids(),
        flows=_flows(sounds),
        calendars=_calendars(tenants),
        unknown_did_sounds=next((files for files in announcements.values() if files), ()),
        sound_ms=_sound_lengths(),
    )


def _sounds_by_tenant() -> dict[int, PromptSounds]:
    found: dict[int, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for prompt in Prompt.objects.all():
        found[prompt.tenant_id][prompt.code] = prompt.sounds()
    return dict(found)


def _sound_lengths() -> dict[str, int]:
    """Of every prompt that has been rendered, by file."""
    rows = Prompt.objects.order_by("pk").values_list("sound_zh", "length_zh_ms", "sound_en", "length_en_ms")
    pairs = (pair for zh, zh_ms, en, en_ms in rows for pair in ((zh, zh_ms), (en, en_ms)))
    return {name: length_ms for name, length_ms in pairs if name and length_ms is not None}


def _announcement(sounds: Mapping[int, PromptSounds], tenant: Tenant, code: str) -> tuple[str, ...]:
    """The prompt in both languages, the tenant's own first: nobody has chosen one yet."""
    files = sounds.get(tenant.pk, {}).get(code, {})
    return tuple(files[lang] for lang in FLOW_LANGUAGES[tenant.language] if lang in files)


def _tenants(
    tenants: Iterable[Tenant], sounds: Mapping[int, PromptSounds], announcements: Mapping[int, tuple[str, ...]]
) -> dict[TenantId, TenantConfig]:
    dispositions = _codes_by_tenant(Disposition.objects.filter(children=None).values_list("tenant_id", "code"))
    pause_reasons = _codes_by_tenant(PauseReason.objects.values_list("tenant_id", "code"))
    policies = _dial_policies(tenants)
    return {
        TenantId(str(tenant.pk)): TenantConfig(
            id=TenantId(str(tenant.pk)),
            name=tenant.name,
            dispositions=dispositions.get(tenant.pk, ()),
            pause_reasons=pause_reasons.get(tenant.pk, ()),
            unknown_did_sounds=announcements[tenant.pk],
            apology_sounds=_announcement(sounds, tenant, tenant.apology_prompt),
            fallback_number=tenant.fallback_number,
            dialing=policies[tenant.pk],
        )
        for tenant in tenants
    }


def _dial_policies(tenants: Iterable[Tenant]) -> dict[int, DialPolicy]:
    rules: dict[int, list[DialRule]] = defaultdict(list)
    for row in DialRuleRow.objects.order_by("prefix", "whole"):
        rules[row.tenant_id].append(DialRule(prefix=row.prefix, allow=row.allow, whole=row.whole))
    rows = {row.tenant_id: row for row in DialPolicyRow.objects.all()}
    return {tenant.pk: _dial_policy(rows.get(tenant.pk), tuple(rules[tenant.pk])) for tenant in tenants}


def _dial_policy(row: DialPolicyRow | None, rules: tuple[DialRule, ...]) -> DialPolicy:
    if row is None:
        return DialPolicy(rules=rules)
    return DialPolicy(
        country_code=row.country_code,
        international_prefix=row.international_prefix,
        national=row.national,
        international=row.international,
        rules=rules,
        ring_timeout_ms=row.ring_timeout_s * 1000,
        record=row.record,
        wrap_up_ms=row.wrap_up_s * 1000,
    )


def _codes_by_tenant(rows: Iterable[tuple[int, str]]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = defaultdict(list)
    for tenant_id, code in rows:
        found[tenant_id].append(code)
    return {tenant_id: tuple(codes) for tenant_id, codes in found.items()}


def _agents() -> dict[AgentId, AgentConfig]:
    skills: dict[int, dict[SkillId, int]] = defaultdict(dict)
    for agent_id, code, proficiency in AgentSkill.objects.order_by("skill__code").values_list(
        "agent_id", "skill__code", "proficiency"
    ):
        skills[agent_id][SkillId(code)] = proficiency
    queues: dict[int, dict[QueueId, Membership]] = defaultdict(dict)
    for agent_id, queue_id in QueueMembership.objects.order_by("queue_id").values_list("agent_id", "queue_id"):
        queues[agent_id][QueueId(str(queue_id))] = Membership()
    agents = Agent.objects.filter(enabled=True).select_related("sip_account__switch", "outside_trunk__switch")
    return {
        AgentId(str(agent.pk)): AgentConfig(
            id=AgentId(str(agent.pk)),
            tenant=TenantId(str(agent.tenant_id)),
            name=agent.name,
            device=_device(agent),
            skills=skills[agent.pk],
            queues=queues[agent.pk],
            may_decline=agent.may_decline,
        )
        for agent in agents.order_by("pk")
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
        )
    account = agent.sip_account
    if account is None or not (account.enabled and account.switch.enabled):
        return None
    return DeviceConfig(
        kind=DeviceKind(agent.device_kind), switch=SwitchId(str(account.switch_id)), address=account.username
    )


def _queues(sounds: Mapping[int, PromptSounds], tenants: Iterable[Tenant]) -> dict[QueueId, QueueConfig]:
    by_pk = {tenant.pk: tenant for tenant in tenants}
    skills: dict[int, set[SkillId]] = defaultdict(set)
    for queue_id, code in QueueSkill.objects.values_list("queue_id", "skill__code"):
        skills[queue_id].add(SkillId(code))
    found = {}
    for queue in Queue.objects.select_related("music", "overflow_prompt", "whisper_prompt").order_by("pk"):
        prompt = queue.overflow_prompt.code if queue.overflow_prompt else ""
        found[QueueId(str(queue.pk))] = QueueConfig(
            id=QueueId(str(queue.pk)),
            tenant=TenantId(str(queue.tenant_id)),
            name=queue.name,
            needs=tuple(SkillNeed(skill=skill) for skill in sorted(skills[queue.pk])),
            priority=queue.priority,
            max_wait_ms=queue.max_wait_s * 1000,
            ring_timeout_ms=queue.ring_timeout_s * 1000,
            wrap_up_ms=queue.wrap_up_s * 1000,
            music=queue.music.name if queue.music else "default",
            record=queue.record,
            auto_answer=queue.auto_answer,
            # In the tenant's language alone: agents speak that, and the caller waits meanwhile.
            whisper_sounds=_announcement(
                sounds, by_pk[queue.tenant_id], queue.whisper_prompt.code if queue.whisper_prompt else ""
            )[:1],
            may_decline=queue.may_decline,
            service_level_ms=queue.service_level_s * 1000,
            overflow=Overflow(
                kind=OverflowKind(queue.overflow_kind),
                target=queue.overflow_target()[1],
                sounds=_announcement(sounds, by_pk[queue.tenant_id], prompt),
            ),
        )
    return found


def _trunks() -> dict[TrunkId, TrunkConfig]:
    return {
        TrunkId(str(trunk.pk)): TrunkConfig(
            id=TrunkId(str(trunk.pk)),
            tenant=TenantId(str(trunk.tenant_id)),
            switch=SwitchId(str(trunk.switch_id)),
            name=trunk.name,
            gateway=trunk.gateway,
            caller_number=trunk.caller_number,
            outbound=trunk.outbound,
            max_calls=trunk.max_calls,
        )
        for trunk in Trunk.objects.filter(enabled=True, switch__enabled=True).order_by("pk")
    }


def _dids() -> dict[str, DidConfig]:
    dids = Did.objects.filter(flow__published__isnull=False, switch__enabled=True).order_by("pk")
    return {
        f"{did.switch_id}/{did.number}": DidConfig(
            number=did.number,
            tenant=TenantId(str(did.tenant_id)),
            switch=SwitchId(str(did.switch_id)),
            flow=FlowId(str(did.flow_id)),
        )
        for did in dids
    }


def _flows(sounds: Mapping[int, PromptSounds]) -> dict[FlowId, FlowConfig]:
    queue_ids = {(tenant, code): str(pk) for pk, tenant, code in Queue.objects.values_list("pk", "tenant_id", "code")}
    found = {}
    for flow in Flow.objects.filter(published__isnull=False).select_related("published").order_by("pk"):
        assert flow.published is not None
        found[FlowId(str(flow.pk))] = FlowConfig(
            id=FlowId(str(flow.pk)),
            tenant=TenantId(str(flow.tenant_id)),
            version=flow.published.sha256,
            document=_with_queue_ids(flow.published.document, flow.tenant_id, queue_ids),
            sounds=_flow_sounds(flow.code, sounds.get(flow.tenant_id, {})),
        )
    return found


def _flow_sounds(code: str, sounds: PromptSounds) -> dict[str, Mapping[str, str]]:
    """The tenant's shared prompts by their code, over them the flow's own by the name they have in its document."""
    shared = {name: files for name, files in sounds.items() if "." not in name}
    own = {name.removeprefix(f"{code}."): files for name, files in sounds.items() if name.startswith(f"{code}.")}
    return shared | own


def _with_queue_ids(
    document: Mapping[str, Any], tenant_id: int, queue_ids: Mapping[tuple[int, str], str]
) -> dict[str, Any]:
    """A flow names a queue by its code; the core knows queues by id. Everything else stays as it was published."""
    nodes = {}
    for name, node in document["nodes"].items():
        queue_id = queue_ids.get((tenant_id, node["queue"])) if "queue" in node else None
        nodes[name] = {**node, "queue": queue_id} if queue_id else node
    return {**document, "nodes": nodes}


def _calendars(tenants: Iterable[Tenant]) -> dict[str, CalendarConfig]:
    offsets = {tenant.pk: utc_offsets(tenant.time_zone) for tenant in tenants}
    found = {}
    for calendar in Calendar.objects.prefetch_related("spans", "days").order_by("pk"):
        days: dict[str, list[OpeningSpan]] = defaultdict(list)
        for day in calendar.days.all():
            spans = days[day.date.isoformat()]
            if day.opens is not None and day.closes is not None:
                spans.append(_span(day.date.weekday(), day.opens, day.closes))
        key = f"{calendar.tenant_id}/{calendar.code}"
        found[key] = CalendarConfig(
            id=key,
            spans=tuple(_span(span.weekday, span.opens, span.closes) for span in calendar.spans.all()),
            days={date: tuple(spans) for date, spans in days.items()},
            utc_offsets=offsets[calendar.tenant_id],
            override=calendar.override,
        )
    return found


def _span(weekday: int, opens: datetime.time, closes: datetime.time) -> OpeningSpan:
    return OpeningSpan(weekday=weekday, opens_min=opens.hour * 60 + opens.minute, closes_min=closing_minute(closes))


def utc_offsets(time_zone: str, *, first_year: int | None = None, years: int = 4) -> tuple[tuple[int, int], ...]:
    """Steps of a zone's offset, ``(from_ms, minutes)``, from the start of last year on: the core has no tzdata."""
    zone = zoneinfo.ZoneInfo(time_zone)
    quarter = datetime.timedelta(minutes=15)
    start_year = first_year if first_year is not None else datetime.datetime.now(datetime.UTC).year - 1
    moment = datetime.datetime(start_year, 1, 1, tzinfo=datetime.UTC)
    end = datetime.datetime(start_year + years, 1, 1, tzinfo=datetime.UTC)
    steps = [(0, _offset_min(moment, zone))]
    while moment < end:
        later = moment + datetime.timedelta(days=1)
        if _offset_min(later, zone) != steps[-1][1]:
            while _offset_min(moment, zone) == steps[-1][1]:
                moment += quarter  # Lord Howe changes its clocks at half past an hour of UTC
            steps.append((int(moment.timestamp() * 1000), _offset_min(moment, zone)))
        moment = later
    return tuple(steps)


def _offset_min(moment: datetime.datetime, zone: zoneinfo.ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds() // 60)
