"""Rows become the core's configuration: complete, without dead ends, in a fixed number of queries."""

from __future__ import annotations

import datetime
import zoneinfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import Tenant
from apps.agents.models import Agent, AgentSkill, PauseReason, Skill
from apps.core import codec
from apps.core.calendars import opening
from apps.core.config import CenterConfig, OpeningSpan, OverflowKind, PauseLimit
from apps.core.ids import AgentId, QueueId, TenantId
from apps.queues.models import Queue, QueueMembership
from apps.telephony.center_config import compile_center_config, current_version, utc_offsets
from apps.telephony.models import Calendar, Did, Prompt, Switch, Trunk
from apps.telephony.prompts.phrases import phrase_names
from apps.telephony.services import CONFIG_CHANNEL, config_changed


def compiled() -> CenterConfig:
    return compile_center_config(current_version())


def test_the_story_compiles_whole_and_survives_the_codec(story: Tenant) -> None:
    config = compiled()
    assert (len(config.agents), len(config.queues), len(config.trunks), len(config.dids)) == (12, 3, 1, 2)
    assert config.version == current_version() > 0
    assert codec.decode(codec.encode(config)) == config
    did = next(iter(config.dids.values()))
    assert config.did(did.switch, did.number) == did
    assert config.flows[did.flow].tenant == did.tenant == str(story.pk)


def test_flows_name_queues_by_code_and_the_core_gets_ids(story: Tenant) -> None:
    config = compiled()
    flow = next(iter(config.flows.values()))
    named = {node["queue"] for node in flow.document["nodes"].values() if node["type"] == "enqueue"}
    assert named == set(config.queues)


def test_every_queue_of_the_story_can_be_served_in_both_languages(story: Tenant) -> None:
    config = compiled()
    for queue in config.queues.values():
        for lang in ("lang:zh", "lang:en"):
            needed = {need.skill for need in queue.needs} | {lang}
            assert any(queue.id in agent.queues and needed <= agent.skills.keys() for agent in config.agents.values())


def test_the_number_of_queries_does_not_grow_with_the_rows(story: Tenant) -> None:
    with CaptureQueriesContext(connection) as few:
        compiled()
    skill, queue = Skill.objects.all()[0], Queue.objects.all()[0]
    for number in range(2000, 2100):
        agent = Agent.objects.create(tenant=story, name=str(number), number=str(number))
        AgentSkill.objects.create(agent=agent, skill=skill)
        QueueMembership.objects.create(agent=agent, queue=queue)
        Calendar.objects.create(tenant=story, code=f"c{number}", name="x").spans.create(
            weekday=1, opens="09:00", closes="00:00"
        )
    with CaptureQueriesContext(connection) as many:
        assert len(compiled().agents) == 112
    assert len(many) == len(few) <= 23


def test_what_cannot_be_reached_is_left_out_or_has_no_device(story: Tenant) -> None:
    agents = {agent.number: agent for agent in Agent.objects.all()}
    Agent.objects.filter(number="1001").update(enabled=False)
    agents["1002"].sip_account.enabled = False  # type: ignore[union-attr]
    agents["1002"].sip_account.save()  # type: ignore[union-attr]
    trunk = Trunk.objects.get()
    Agent.objects.filter(number="1003").update(device_kind="pstn", outside_number="13955500000", outside_trunk=trunk)
    config = compiled()
    assert AgentId(str(agents["1001"].pk)) not in config.agents
    assert config.agents[AgentId(str(agents["1002"].pk))].device is None
    device = config.agents[AgentId(str(agents["1003"].pk))].device
    assert device is not None and (device.address, device.trunk) == ("13955500000", str(trunk.pk))
    Trunk.objects.update(enabled=False)
    config = compiled()
    assert not config.trunks and config.agents[AgentId(str(agents["1003"].pk))].device is None
    Switch.objects.update(enabled=False)
    config = compiled()
    assert not config.dids and all(agent.device is None for agent in config.agents.values())


def test_how_agents_work_is_in_the_rows(story: Tenant) -> None:
    PauseReason.objects.update(each_min=None, allowed_min=None)
    PauseReason.objects.filter(code="lunch").update(each_min=30, allowed_min=60)
    Queue.objects.filter(name="销售").update(disposition_required=False)
    Agent.objects.filter(number="1001").update(kept_open=True)
    Tenant.objects.update(missed_limit=3, time_zone="Asia/Tokyo")
    config = compiled()
    tenant = config.tenants[TenantId(str(story.pk))]
    assert tenant.pause_limits == {"lunch": PauseLimit(each_ms=1_800_000, day_ms=3_600_000)}
    assert set(tenant.pause_reasons) == set(PauseReason.objects.values_list("code", flat=True))
    assert tenant.missed_limit == 3 and tenant.utc_offsets[-1][1] == 540
    assert {queue.name for queue in config.queues.values() if not queue.disposition_required} == {"销售"}
    [kept] = [agent for agent in config.agents.values() if agent.device is not None and agent.device.kept_open]
    assert kept.id == str(Agent.objects.get(number="1001").pk)


def test_a_number_of_an_unpublished_flow_is_left_out(story: Tenant) -> None:
    flow = Did.objects.all()[0].flow
    flow.published = None
    flow.save()
    assert not compiled().dids and not compiled().flows


def test_overflow_and_sounds(story: Tenant) -> None:
    Prompt.objects.filter(code="all_busy").update(sound_zh="ab/zh.wav", sound_en="ab/en.wav", length_zh_ms=2_500)
    Prompt.objects.filter(code="hotline.main").update(sound_zh="cd/zh.wav")
    Prompt.objects.filter(code="unknown_did").update(sound_en="ef/en.wav")
    config = compiled()
    queues = {queue.name: queue for queue in config.queues.values()}
    assert queues["销售"].overflow.kind == OverflowKind.QUEUE
    assert queues["销售"].overflow.target == queues["客服"].id
    assert queues["客服"].overflow.sounds == ("ab/zh.wav", "ab/en.wav")
    flow = next(iter(config.flows.values()))
    assert flow.sounds["main"] == {"zh": "cd/zh.wav"}
    assert flow.sounds["goodbye"] == {}
    assert config.unknown_did_sounds == ("ef/en.wav",)
    ours = phrase_names()
    assert {name: length for name, length in config.sound_ms.items() if name not in ours} == {"ab/zh.wav": 2_500}
    assert config.phrases["zh"]["position"][1] == "#" and config.numbers["en"]["27"], "what we say ourselves"
    story.language = "en"
    story.save()
    again = compiled().queues[QueueId(queues["客服"].id)]
    assert again.overflow.sounds == ("ab/en.wav", "ab/zh.wav")


def test_the_calendar_knows_holidays_and_work_days(story: Tenant) -> None:
    Calendar.objects.update(override="")
    calendar = compiled().calendars[f"{story.pk}/main"]
    zone = zoneinfo.ZoneInfo("Asia/Shanghai")

    def at(text: str) -> str:
        return opening(calendar, int(datetime.datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000))

    assert at("2026-09-30T10:00") == "open"
    assert at("2026-09-30T12:30") == "closed"  # lunch
    assert at("2026-10-01T10:00") == "holiday"  # a Thursday
    assert at("2026-10-10T09:30") == "open"  # a Saturday that is worked, from nine
    assert at("2026-10-17T09:30") == "closed"  # another Saturday opens at ten
    Calendar.objects.update(override="emergency")
    calendar = compiled().calendars[f"{story.pk}/main"]
    assert at("2026-09-30T10:00") == "emergency"


def test_midnight_as_an_end_is_the_end_of_the_day(story: Tenant) -> None:
    Calendar.objects.create(tenant=story, code="night", name="x").spans.create(weekday=6, opens="22:00", closes="00:00")
    span = compiled().calendars[f"{story.pk}/night"].spans[0]
    assert span == OpeningSpan(weekday=6, opens_min=1320, closes_min=1440)


@given(
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.datetimes(min_value=datetime.datetime(2026, 1, 1), max_value=datetime.datetime(2029, 12, 30)),
)
def test_offset_steps_say_what_the_zone_says(name: str, moment: datetime.datetime) -> None:
    utc = moment.replace(tzinfo=datetime.UTC, minute=30)
    at_ms = int(utc.timestamp() * 1000)
    minutes = [offset for from_ms, offset in utc_offsets(name, first_year=2026) if from_ms <= at_ms][-1]
    assert datetime.timedelta(minutes=minutes) == utc.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()


@pytest.mark.django_db(transaction=True)
def test_a_change_is_told_to_those_who_listen_when_it_is_committed() -> None:
    import psycopg
    from django.db import transaction

    settings = connection.get_connection_params()
    settings.pop("pool", None)
    with psycopg.connect(**{**settings, "cursor_factory": None}, autocommit=True) as listener:
        listener.execute(f"LISTEN {CONFIG_CHANNEL}")
        with transaction.atomic():
            version = config_changed()
            assert not list(listener.notifies(timeout=0.1))
        heard = next(iter(listener.notifies(timeout=10, stop_after=1)))
    assert heard.payload == str(version) == str(current_version())
