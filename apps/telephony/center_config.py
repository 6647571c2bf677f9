"""All configuration rows as the one frozen value that the core works with."""

from __future__ import annotations

import datetime
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from apps.accounts.models import Tenant
from apps.agents.models import Disposition, PauseReason
from apps.core.config import (
    CalendarConfig,
    CenterConfig,
    DialPolicy,
    DialRule,
    DidConfig,
    FlowConfig,
    OpeningSpan,
    PauseLimit,
    Spoken,
    TenantConfig,
    TrunkConfig,
)
from apps.core.ids import FlowId, SwitchId, TenantId, TrunkId
from apps.customers.vips import numbers_of_vips
from apps.ivr.models import Flow
from apps.queues.models import Queue
from apps.telephony import center_queues
from apps.telephony.models import Calendar, ConfigVersion, Did, Prompt, Trunk
from apps.telephony.models import DialPolicy as DialPolicyRow
from apps.telephony.models import DialRule as DialRuleRow
from apps.telephony.models.calendars import closing_minute
from apps.telephony.prompts.library import Library
from apps.telephony.prompts.phrases import phrase_lengths, phrase_sounds

PromptSounds = Mapping[str, Mapping[str, str]]  # prompt code -> language -> file
# Flows speak of languages as callers choose them, people of interface languages.
FLOW_LANGUAGES = {"zh-hans": ("zh", "en"), "en": ("en", "zh")}


def current_version() -> int:
    """The version of the stored configuration; 0 where nothing was ever configured."""
    return ConfigVersion.objects.values_list("version", flat=True).first() or 0


def compile_center_config(version: int, tenant_id: int | None = None) -> CenterConfig:
    """Every tenant's configuration, or that of one alone, in a fixed number of queries, whatever their size.

    Disabled agents and trunks are left out; so are numbers of flows that were never published. Whatever is missing
    (a sound not rendered yet) makes the value smaller, never wrong.
    """
    of = {} if tenant_id is None else {"tenant": tenant_id}
    sounds = _sounds_by_tenant(of)
    tenants = {row.pk: row for row in Tenant.objects.filter(**({"pk": tenant_id} if of else {})).order_by("pk")}

    def spoken(owner_id: int, code: str) -> Spoken:
        return _spoken(sounds, tenants[owner_id], code)

    phrases, numbers = phrase_sounds(Library.default())
    unknown = {tenant.pk: _announcement(sounds, tenant, tenant.unknown_did_prompt) for tenant in tenants.values()}
    return CenterConfig(
        version=version,
        tenants=_tenants(tenants.values(), sounds, unknown),
        agents=center_queues.agents(of),
        queues=center_queues.queues(of, spoken),
        trunks=_trunks(of),
        dids=_dids(of),
        flows=_flows(of, sounds),
        calendars=_calendars(tenants.values()),
        unknown_did_sounds=next((files for files in unknown.values() if files), ()),
        sound_ms=_sound_lengths(of) | phrase_lengths(Library.default()),
        phrases=phrases,
        numbers=numbers,
    )


def _sounds_by_tenant(of: Mapping[str, int]) -> dict[int, PromptSounds]:
    found: dict[int, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for prompt in Prompt.objects.filter(**of):
        found[prompt.tenant_id][prompt.code] = prompt.sounds()
    return dict(found)


def _sound_lengths(of: Mapping[str, int]) -> dict[str, int]:
    """Of every prompt that has been rendered, by file."""
    prompts = Prompt.objects.filter(**of).order_by("pk")
    rows = prompts.values_list("sound_zh", "length_zh_ms", "sound_en", "length_en_ms")
    pairs = (pair for zh, zh_ms, en, en_ms in rows for pair in ((zh, zh_ms), (en, en_ms)))
    return {name: length_ms for name, length_ms in pairs if name and length_ms is not None}


def _announcement(sounds: Mapping[int, PromptSounds], tenant: Tenant, code: str) -> tuple[str, ...]:
    """The prompt in both languages, the tenant's own first: nobody has chosen one yet."""
    return tuple(name for files in _spoken(sounds, tenant, code).values() for name in files)


def _spoken(sounds: Mapping[int, PromptSounds], tenant: Tenant, code: str) -> Spoken:
    files = sounds.get(tenant.pk, {}).get(code, {})
    return {lang: (files[lang],) for lang in FLOW_LANGUAGES[tenant.language] if lang in files}


def _tenants(
    tenants: Iterable[Tenant], sounds: Mapping[int, PromptSounds], announcements: Mapping[int, tuple[str, ...]]
) -> dict[TenantId, TenantConfig]:
    dispositions = _codes_by_tenant(Disposition.objects.filter(children=None).values_list("tenant_id", "code"))
    pauses = _pauses()
    policies = _dial_policies(tenants)
    vips = numbers_of_vips([tenant.pk for tenant in tenants])
    return {
        TenantId(str(tenant.pk)): TenantConfig(
            id=TenantId(str(tenant.pk)),
            name=tenant.name,
            utc_offsets=utc_offsets(tenant.time_zone),
            dispositions=dispositions.get(tenant.pk, ()),
            pause_reasons=tuple(pauses[tenant.pk]),
            pause_limits={code: limit for code, limit in pauses[tenant.pk].items() if limit != PauseLimit()},
            missed_limit=tenant.missed_limit,
            vip_priority=tenant.vip_priority,
            vips=vips.get(tenant.pk, frozenset()),
            unknown_did_sounds=announcements[tenant.pk],
            apology_sounds=_announcement(sounds, tenant, tenant.apology_prompt),
            fallback_number=tenant.fallback_number,
            dialing=policies[tenant.pk],
        )
        for tenant in tenants
    }


def _pauses() -> Mapping[int, Mapping[str, PauseLimit]]:
    """By tenant and code, in the order in which agents see them."""
    found: dict[int, dict[str, PauseLimit]] = defaultdict(dict)
    for tenant_id, code, each, day in PauseReason.objects.values_list("tenant_id", "code", "each_min", "allowed_min"):
        found[tenant_id][code] = PauseLimit(each_ms=(each or 0) * 60_000, day_ms=(day or 0) * 60_000)
    return found


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


def _trunks(of: Mapping[str, int]) -> dict[TrunkId, TrunkConfig]:
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
        for trunk in Trunk.objects.filter(**of, enabled=True, switch__enabled=True).order_by("pk")
    }


def _dids(of: Mapping[str, int]) -> dict[str, DidConfig]:
    dids = Did.objects.filter(**of, flow__published__isnull=False, switch__enabled=True).order_by("pk")
    return {
        f"{did.switch_id}/{did.number}": DidConfig(
            number=did.number,
            tenant=TenantId(str(did.tenant_id)),
            switch=SwitchId(str(did.switch_id)),
            flow=FlowId(str(did.flow_id)),
            priority=did.priority,
        )
        for did in dids
    }


def _flows(of: Mapping[str, int], sounds: Mapping[int, PromptSounds]) -> dict[FlowId, FlowConfig]:
    rows = Queue.objects.filter(**of).values_list("pk", "tenant_id", "code")
    queue_ids = {(tenant, code): str(pk) for pk, tenant, code in rows}
    found = {}
    for flow in Flow.objects.filter(**of, published__isnull=False).select_related("published").order_by("pk"):
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
    for calendar in Calendar.objects.filter(tenant__in=offsets).prefetch_related("spans", "days").order_by("pk"):
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
