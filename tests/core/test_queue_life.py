"""A queue over the day: who is let in, who is sent on and where to, and what those who wait hear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from tests.core.scene import FLOW, SWITCH, TENANT, Scene, center_config
from tests.core.test_recovery import customer, restarted

MONDAY_0850_MS = 1_699_836_600_000  # 2023-11-13 08:50 in Shanghai
OFFICE = tuple(cfg.OpeningSpan(weekday=day, opens_min=540, closes_min=1080) for day in range(5))
SORRY = cfg.Overflow(sounds=("sorry.wav",))


def calendar(**changes: Any) -> cfg.CalendarConfig:
    return cfg.CalendarConfig(id="1/office", spans=OFFICE, **changes)


def config(version: int = 1, queue: dict[str, Any] | None = None, **life: Any) -> cfg.CenterConfig:
    """The small centre whose sales queue leads such a life; the tech queue has the usual one."""
    base = center_config(version)
    sales = replace(base.queues["sales"], life=cfg.QueueLife(**life), **(queue or {}))
    return replace(
        base,
        queues={**base.queues, "sales": sales},
        calendars={**base.calendars, "1/office": calendar()},
        trunks={"t1": replace(base.trunks["t1"], caller_number="4001")},
        phrases={"en": {"position": ("number.wav", "#"), "wait": ("about.wav", "#", "minutes.wav"),
                        "wait.minute": ("soon.wav",), "position.far": ("far.wav",)}},
        numbers={"en": {str(n): (f"{n}.wav",) for n in range(1, 100)}},
        sound_ms={"comfort.wav": 2_000},
    )  # fmt: skip


def scene_of(start_ms: int = MONDAY_0850_MS, **life: Any) -> Scene:
    return Scene(config(**life), start_ms)


def english(scene: Scene, leg: str) -> Call:
    return scene.to_queue(leg, "21")


def said(scene: Scene) -> list[tuple[str, ...]]:
    return [command.sounds for command in scene.all(c.PlayPrompts) if command.sounds[0] not in ("main.en.wav",)]


# --- hours -----------------------------------------------------------------------------------------------------------


def test_outside_its_hours_a_queue_sends_callers_where_it_says() -> None:
    scene = scene_of(calendar="1/office", closed=cfg.Overflow(kind=cfg.OverflowKind.QUEUE, target="tech"))
    call = scene.to_queue()
    assert call.wait is not None and call.wait.queue == "tech"
    overflowed = scene.last(f.CallOverflowed)
    assert (overflowed.queue, overflowed.reason, overflowed.target) == ("sales", f.OverflowReason.CLOSED, "tech")
    scene.wait(11 * 60)
    assert [fact.queue for fact in scene.all(f.QueueOpened)] == ["sales"]
    later = scene.to_queue("cust2")
    assert later.wait is not None and later.wait.queue == "sales"
    assert scene.state == scene.folded()


@pytest.mark.parametrize(
    ("changes", "lets_in"),
    [
        ({"days": {"2023-11-13": ()}, "override": ""}, False),  # a holiday
        ({"days": {"2023-11-13": (cfg.OpeningSpan(weekday=0, opens_min=480, closes_min=600),)}}, True),  # 调休
        ({"override": "open"}, True),
        ({"override": "emergency"}, False),
        ({}, False),
    ],
)
def test_holidays_work_days_and_the_emergency_lever_count(changes: dict[str, Any], lets_in: bool) -> None:
    base = config(calendar="1/office", closed=SORRY)
    scene = Scene(replace(base, calendars={**base.calendars, "1/office": calendar(**changes)}), MONDAY_0850_MS)
    call = scene.to_queue()
    assert (call.wait is not None) is lets_in
    assert lets_in or scene.last(c.PlayPrompts).sounds == ("sorry.wav",)


def test_the_lever_pulled_at_noon_closes_at_once() -> None:
    scene = scene_of(calendar="1/office", closing=cfg.ClosingTime.OVERFLOW, closed=SORRY)
    scene.wait(3 * 3600)
    call = scene.to_queue()
    assert call.wait is not None
    pulled = replace(config(2, calendar="1/office", closing=cfg.ClosingTime.OVERFLOW, closed=SORRY))
    pulled = replace(pulled, calendars={**pulled.calendars, "1/office": calendar(override="emergency")})
    scene.feed(e.ConfigChanged(config=pulled))
    scene.wait(0.001)
    assert scene.last(f.QueueClosed).reason == "emergency"
    assert call.state == "closing" and call.outcome is f.CallOutcome.OVERFLOWED


@pytest.mark.parametrize("closing", list(cfg.ClosingTime))
def test_closing_time_for_those_who_wait(closing: cfg.ClosingTime) -> None:
    scene = scene_of(
        calendar="1/office", closing=closing, closed=SORRY, closing_sounds={"zh": ("zh.wav",), "en": ("we_close.wav",)}
    )
    scene.wait(9 * 3600)  # 17:50
    call = english(scene, "cust1")
    scene.wait(9 * 60 + 59)
    assert call.wait is not None and len(scene.all(f.QueueClosed)) == 1
    scene.wait(2)
    assert [fact.reason for fact in scene.all(f.QueueClosed)] == ["closed", "closed"]
    if closing is cfg.ClosingTime.OVERFLOW:
        assert call.state == "closing" and scene.last(f.CallDequeued).reason is f.QueueExit.OVERFLOWED
        return
    assert call.wait is not None and (("we_close.wav",) in said(scene)) is (closing is cfg.ClosingTime.ANNOUNCE)
    scene.ready("bob")
    assert call.offer is not None and call.offer.agent == "bob"


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_full_queue_lets_nobody_in() -> None:
    scene = Scene(
        config(queue={"overflow": cfg.Overflow(kind=cfg.OverflowKind.QUEUE, target="tech")}, max_callers=2),
        MONDAY_0850_MS,
    )
    queues = [scene.to_queue(f"cust{n}").wait for n in range(3)]
    assert [wait.queue for wait in queues if wait is not None] == ["sales", "sales", "tech"]
    assert scene.last(f.CallOverflowed).reason is f.OverflowReason.FULL
    scene.hang_up("cust0")
    fourth = scene.to_queue("cust3")
    assert fourth.wait is not None and fourth.wait.queue == "sales"


def test_a_flow_that_says_so_goes_on_instead() -> None:
    nodes = {**FLOW["nodes"], "sales": {**FLOW["nodes"]["sales"], "on": {"full": "bye"}}}
    base = config(max_callers=1)
    flow = replace(base.flows["hot"], document={**FLOW, "nodes": nodes})
    scene = Scene(replace(base, flows={"hot": flow}), MONDAY_0850_MS)
    scene.to_queue("cust1")
    turned_away = scene.to_queue("cust2")
    assert turned_away.outcome is f.CallOutcome.SELF_SERVED and not scene.all(f.CallOverflowed)


def test_nobody_signed_in_sends_callers_on_after_a_grace() -> None:
    scene = scene_of(no_agents=cfg.NoAgents.NOBODY_SIGNED_IN, no_agents_grace_ms=20_000)
    scene.ready("bob")
    call, leg = scene.talk()
    waiting = scene.to_queue("cust2")
    scene.hang_up(leg)
    assert len(scene.all(f.QueueDeserted)) == 1, "bob wraps up"
    scene.ask(e.AgentForced, "bob", state="LOGGED_OUT", now=True)
    assert len(scene.all(f.QueueDeserted)) == 2 and scene.last(f.QueueDeserted).queue == "sales"
    scene.wait(19)
    assert waiting.wait is not None
    scene.wait(2)
    assert waiting.state == "closing" and scene.last(f.CallOverflowed).reason is f.OverflowReason.NO_AGENTS
    at_the_door = scene.to_queue("cust3")
    assert at_the_door.wait is None and at_the_door.state == "closing"
    scene.ready("bob")
    assert scene.last(f.QueueStaffed) and scene.to_queue("cust4").offer is not None
    assert scene.state == scene.folded()
    assert call.served


def test_all_on_pause_counts_only_where_it_is_to() -> None:
    for rule, goes in ((cfg.NoAgents.NOBODY_SIGNED_IN, False), (cfg.NoAgents.NOBODY_SERVING, True)):
        scene = scene_of(no_agents=rule, no_agents_grace_ms=5_000)
        scene.ready("bob")
        scene.ask(e.AgentPaused, "bob", reason="tea")
        call = scene.to_queue()
        scene.wait(6)
        assert (call.wait is None) is goes, rule


def test_an_agent_who_comes_back_within_the_grace_finds_the_callers() -> None:
    scene = scene_of(no_agents=cfg.NoAgents.NOBODY_SERVING, no_agents_grace_ms=30_000)
    call = scene.to_queue()
    scene.wait(25)
    scene.ready("bob")
    assert call.offer is not None
    scene.wait(10)
    assert call.wait is not None


def test_a_restart_does_not_begin_the_grace_anew() -> None:
    scene = scene_of(no_agents=cfg.NoAgents.NOBODY_SERVING, no_agents_grace_ms=30_000)
    call = scene.to_queue()
    scene.wait(20)
    scene = restarted(scene, customer(call.id), away_s=1.5)
    call = scene.state.calls[call.id]
    scene.wait(12)
    assert call.wait is None and scene.last(f.CallOverflowed).reason is f.OverflowReason.NO_AGENTS


# --- circles ---------------------------------------------------------------------------------------------------------


def to(queue: str) -> cfg.Overflow:
    return cfg.Overflow(kind=cfg.OverflowKind.QUEUE, target=queue)


def test_queues_that_overflow_into_each_other_raise_an_alarm_and_the_caller_gets_the_fallback() -> None:
    base = config(queue={"overflow": to("tech")}, calendar="1/office")
    tech = replace(base.queues["tech"], overflow=to("sales"), life=cfg.QueueLife(calendar="1/office"))
    tenant = replace(base.tenants[TENANT], fallback_number="10086")
    scene = Scene(replace(base, queues={**base.queues, "tech": tech}, tenants={TENANT: tenant}), MONDAY_0850_MS)
    call = scene.to_queue()
    assert "overflow_circle/tech" in scene.state.alarms
    assert [fact.fallback for fact in scene.all(f.CallOverflowed)] == [False, True]
    assert call.state == "dialing" and scene.last(c.OriginateLeg).destination.address == "10086"


def test_a_flow_that_leads_back_into_the_closed_queue_ends_too() -> None:
    scene = Scene(
        config(queue={"overflow": cfg.Overflow(kind=cfg.OverflowKind.FLOW, target="straight")}, calendar="1/office"),
        MONDAY_0850_MS,
    )
    straight = {"schema": "ivr/1", "langs": ["zh"], "default_lang": "zh", "start": "sales", "prompts": {},
                "nodes": {"sales": {"type": "enqueue", "queue": "sales"}}}  # fmt: skip
    flow = cfg.FlowConfig(id="straight", tenant=TENANT, version="s1", document=straight)
    now = scene.state.config
    scene.feed(e.ConfigChanged(config=replace(now, version=2, flows={**now.flows, "straight": flow})))
    call = scene.to_queue()
    assert call.state == "closing" and scene.last(c.PlayPrompts).sounds == ("sorry.wav",)
    assert "overflow_circle/sales" in scene.state.alarms
    assert scene.state == scene.folded()


def test_a_queue_that_overflowed_before_a_talk_may_do_so_again() -> None:
    scene = Scene(config(queue={"overflow": to("tech"), "max_wait_ms": 10_000}), MONDAY_0850_MS)
    scene.ready("cai")
    call = scene.to_queue()
    scene.wait(11)
    leg = scene.answer_offer(call)
    scene.ask(e.TransferRequested, "cai", call=call.id, kind=e.TransferKind.QUEUE, target="sales")
    scene.hang_up(leg)
    scene.feed(e.CallArrived(switch=SWITCH, leg=call.leg, did="4001", caller_number="1", call=call.id))
    assert call.wait is not None and call.wait.queue == "sales"
    scene.wait(11)
    assert call.wait is not None and call.wait.queue == "tech" and not scene.state.alarms


# --- what callers hear -----------------------------------------------------------------------------------------------


def played(scene: Scene, call: Call, outcome: e.PlayOutcome = e.PlayOutcome.DONE) -> None:
    assert call.wait is not None and call.wait.play is not None
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=call.wait.play, outcome=outcome))


def test_comfort_comes_in_turn_and_music_after_each() -> None:
    scene = scene_of(comfort=({"en": ("one.wav",)}, {"zh": ("er.wav",), "en": ("two.wav",)}), comfort_every_ms=30_000)
    call = english(scene, "cust1")
    place = call.wait.queued_ms if call.wait else 0
    for sounds in (("one.wav",), ("two.wav",), ("one.wav",)):
        scene.wait(30)
        assert said(scene)[-1] == sounds
        played(scene, call)
        assert scene.just(c.StartMusic), "music again"
    assert call.wait is not None and call.wait.queued_ms == place
    assert scene.state == scene.folded()


def test_place_and_wait_are_told_in_the_callers_language() -> None:
    scene = scene_of(tell_every_ms=60_000, tell_position=True, tell_wait=True)
    scene.ready("bob", "ann")
    for n in range(2):  # two calls of three minutes with wrap-up teach how long calls take
        _call, leg = scene.talk(f"early{n}")
        scene.wait(150)
        scene.hang_up(leg)
        scene.hang_up(f"early{n}")
        scene.wait(30)
    talk_1, talk_2 = english(scene, "t1"), english(scene, "t2")
    scene.answer_offer(talk_1)
    scene.answer_offer(talk_2)
    english(scene, "cust1")
    second = english(scene, "cust2")
    scene.wait(5)
    assert said(scene)[-1] == ("number.wav", "2.wav", "about.wav", "3.wav", "minutes.wav")
    announced = scene.last(f.AnnouncementStarted)
    assert (announced.position, announced.estimate_ms) == (2, 180_000) and announced.call == second.id
    played(scene, second)
    scene.hang_up("cust1")
    scene.wait(60)
    assert said(scene)[-1] == ("number.wav", "1.wav", "about.wav", "2.wav", "minutes.wav")


def test_what_cannot_be_told_is_passed_over_and_asked_for_no_more_than_every_so_often() -> None:
    scene = scene_of(tell_every_ms=60_000, tell_wait=True)
    scene.to_queue()
    scene.wait(119)
    assert len(scene.all(f.AnnouncementStarted)) == 2 and not [one for one in said(scene) if "wav" not in one[0]]


def test_an_agent_who_becomes_free_is_offered_in_the_middle_of_an_announcement() -> None:
    scene = scene_of(comfort=({"zh": ("comfort.wav",)},), comfort_every_ms=10_000)
    call = scene.to_queue()
    scene.wait(10)
    assert call.wait is not None and call.wait.play is not None
    scene.ready("bob")
    assert call.offer is not None
    scene.answer_offer(call)
    assert call.state == "talking"
    music = len(scene.all(c.StartMusic))
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play="x", outcome=e.PlayOutcome.STOPPED))
    assert len(scene.all(c.StartMusic)) == music, "no music into a talk"


def test_nothing_is_begun_while_a_telephone_rings() -> None:
    scene = scene_of(comfort=({"zh": ("comfort.wav",)},), comfort_every_ms=10_000)
    scene.ready("bob")
    call = scene.to_queue()
    scene.wait(12)
    assert call.offer is not None and not scene.all(f.AnnouncementStarted)


def test_an_end_that_nobody_reports_is_made_up_for() -> None:
    scene = scene_of(comfort=({"zh": ("comfort.wav",)},), comfort_every_ms=20_000)
    call = scene.to_queue()
    scene.wait(24.9)
    assert call.wait is not None and call.wait.play is not None
    scene.wait(0.2)
    assert call.wait.play is None and scene.last(c.StartMusic).leg == call.leg
