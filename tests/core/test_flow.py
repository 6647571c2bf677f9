"""Flows: what may be published, and how a caller walks through one."""

from __future__ import annotations

import copy
import dataclasses
import functools
import operator
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calendars import opening
from apps.core.ivr.flow import lint
from apps.core.queues import impossible
from tests.core.scene import FLOW, SWITCH, TENANT, Scene, center_config

Change = Callable[[dict[str, Any]], object]


def problems(change: Change) -> list[tuple[str, str]]:
    document = copy.deepcopy(FLOW)
    change(document)
    found = lint(document, queues={"sales", "tech"}, calendars={"main"})
    return [(problem.code, problem.node) for problem in found]


def test_a_good_flow_has_no_problems() -> None:
    assert problems(lambda doc: None) == []
    assert problems(lambda doc: doc["nodes"]["tech"].update(skills=["lang:{{call.lang}}=3", "net=2?", "vip?"])) == []
    assert problems(lambda doc: doc["nodes"]["main"].update(title={"zh": "部门", "en": "Department"})) == []
    assert problems(lambda doc: doc["nodes"]["main"].update(title="Department")) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda doc: doc["nodes"].update(alone={"type": "hangup"}), ("E01", "alone")),
        (lambda doc: doc["nodes"]["main"]["on"].clear(), ("E02", "main")),
        (lambda doc: doc["nodes"]["ans"]["on"].update(ok="gone"), ("E03", "ans")),
        (lambda doc: doc["nodes"]["main"]["keys"].update({"3": "gone"}), ("E03", "main")),
        (lambda doc: doc["handlers"].update(error="gone"), ("E03", "")),
        (lambda doc: doc.update(start="gone"), ("E03", "")),
        (lambda doc: doc["prompts"]["main"].pop("en"), ("E04", "main")),
        (lambda doc: doc["nodes"]["main"].update(say=[{"p": "missing"}]), ("E04", "main")),
        (
            lambda doc: doc["nodes"].update(
                bye={"type": "play", "on": {"done": "loop"}}, loop={"type": "play", "on": {"done": "bye"}}
            ),
            ("E07", "bye"),
        ),
        (lambda doc: doc.update(start="lang"), ("E10", "lang")),
        (lambda doc: doc["nodes"]["sales"].update(queue="nowhere"), ("E14", "sales")),
        (lambda doc: doc["nodes"]["open"].update(schedule="never"), ("E14", "open")),
        (lambda doc: doc["nodes"]["bye"].update(type="teleport"), ("E00", "bye")),
        (lambda doc: doc["nodes"]["main"].update(retries=99), ("E00", "main")),
        (lambda doc: doc["nodes"]["main"].update(secret="yes"), ("E00", "main")),
        (lambda doc: doc["nodes"]["tech"].update(skills="net"), ("E00", "tech")),
        (lambda doc: doc["nodes"]["tech"].update(skills=["net=6"]), ("E00", "tech")),
        (lambda doc: doc["nodes"]["tech"].update(skills=[{"skill": "net"}]), ("E00", "tech")),
        (lambda doc: doc["nodes"]["main"].update(title=["Menu"]), ("E00", "main")),
        (lambda doc: doc["nodes"]["main"].update(title={"zh": 5}), ("E00", "main")),
        (lambda doc: doc["nodes"]["main"]["keys"].update({"x": "bye"}), ("E00", "main")),
        (lambda doc: doc.update(schema="ivr/9"), ("E00", "")),
        (lambda doc: doc.update(nodes=[]), ("E00", "")),
        (lambda doc: doc["nodes"]["lang"].update(keys={"1": "fr"}), ("E03", "lang")),
    ],
)
def test_each_problem_is_named_with_its_node(change: Change, expected: tuple[str, str]) -> None:
    assert expected in problems(change)


@pytest.mark.parametrize("nonsense", [None, [], "x", {}, {"nodes": {"a": 1}}, {"schema": "ivr/1", "langs": "zh"}])
def test_nonsense_is_a_problem_not_an_exception(nonsense: Any) -> None:
    assert lint(nonsense, queues=(), calendars=())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from(["main", "bye", "zh", "@repeat", "net=3", "menu", "language", "enqueue", "hours"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["p", "on", "type", "zh", "1", "x", "say"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document, from the outside in."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*at, key)
        yield from places(item, (*at, key))


FIELDS = sorted({name for node in FLOW["nodes"].values() for name in node} | {"retry_say", "barge", "skills", "repeat"})
EVERYWHERE = [*places(FLOW), *(("nodes", name, field) for name in FLOW["nodes"] for field in FIELDS)]


@given(st.lists(st.tuples(st.sampled_from(EVERYWHERE), JSON), min_size=1, max_size=2))
@settings(max_examples=400, deadline=None)
def test_whatever_stands_somewhere_is_accepted_and_works_or_is_a_problem(changes: list[tuple[Any, Any]]) -> None:
    """What is published is walked through by every caller, so what gets past the check must not fail there."""
    document = copy.deepcopy(FLOW)
    for place, value in changes:
        with suppress(KeyError, IndexError, TypeError):  # the other change has taken the place away
            functools.reduce(operator.getitem, place[:-1], document)[place[-1]] = value
    found = lint(document, queues={"sales", "tech"}, calendars={"main"})
    assert all(isinstance(problem.message, str) and problem.code for problem in found)
    if not found:
        config = center_config()
        flow = dataclasses.replace(config.flows["hot"], document=document)
        scene = Scene(dataclasses.replace(config, flows={"hot": flow}))
        call = scene.arrive()
        for key in "21#":
            scene.wait(2)
            scene.press(call, key)
        scene.wait(60)
        alarms = [alarm for alarm in scene.all(f.AlarmRaised) if alarm.kind != impossible.ALARM]  # a skill nobody has
        assert not alarms, "the flow failed under the caller"


# --- hours ---------------------------------------------------------------------------------------------------------

OFFICE = cfg.CalendarConfig(
    id="main",
    spans=tuple(cfg.OpeningSpan(weekday=day, opens_min=9 * 60, closes_min=18 * 60) for day in range(5)),
    days={
        "2026-10-01": (),
        "2026-10-10": (cfg.OpeningSpan(weekday=5, opens_min=10 * 60, closes_min=16 * 60),),
    },
    utc_offsets=((0, 480),),
)


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2026-11-23T00:59:59", "closed"),  # Monday 08:59:59 in Shanghai
        ("2026-11-23T01:00:00", "open"),
        ("2026-11-23T09:59:59", "open"),
        ("2026-11-23T10:00:00", "closed"),
        ("2026-11-22T03:00:00", "closed"),  # Sunday
        ("2026-10-01T03:00:00", "holiday"),  # Thursday, National Day
        ("2026-10-10T03:00:00", "open"),  # Saturday, but a 调休 work day
        ("2026-10-10T01:30:00", "closed"),  # before its own hours
    ],
)
def test_business_hours(utc: str, expected: str) -> None:
    from datetime import UTC, datetime

    at_ms = int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000)
    assert opening(OFFICE, at_ms) == expected


def test_the_emergency_lever_beats_the_clock() -> None:
    from dataclasses import replace

    for override in ("open", "closed", "emergency"):
        assert opening(replace(OFFICE, override=override), 0) == override


# --- walking -------------------------------------------------------------------------------------------------------


def with_flow(change: Change) -> Scene:
    document = copy.deepcopy(FLOW)
    change(document)
    flow = center_config().flows["hot"]
    sounds = {**flow.sounds, "extra": {"zh": "extra.zh.wav"}}
    return Scene(
        center_config(
            flows={"hot": cfg.FlowConfig(id="hot", tenant=TENANT, version="v2", document=document, sounds=sounds)}
        )
    )


def played(scene: Scene, outcome: e.PlayOutcome = e.PlayOutcome.DONE) -> None:
    last = scene.last(c.PlayPrompts)
    scene.feed(e.PlayEnded(switch=SWITCH, leg=last.leg, play=last.play, outcome=outcome))


def test_closed_says_goodbye_in_both_languages() -> None:
    scene = Scene(center_config(calendars={"1/main": cfg.CalendarConfig(id="main", spans=())}))
    call = scene.arrive()
    assert scene.last(c.PlayPrompts).sounds == ("bye.zh.wav", "bye.en.wav")
    played(scene)
    assert scene.just(c.HangUpLeg)
    scene.hang_up(call.leg)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.SELF_SERVED


def test_silence_keeps_the_default_language() -> None:
    scene = Scene()
    scene.arrive()
    played(scene)
    scene.wait(5.1)
    assert scene.last(c.PlayPrompts).sounds == ("main.zh.wav",)


def test_type_ahead_skips_prompts() -> None:
    scene = Scene()
    call = scene.arrive()
    scene.press(call, "2")
    scene.press(call, "1")
    assert call.wait is not None and call.lang == "en"


def test_repeat_plays_again_three_times_at_most() -> None:
    scene = Scene()
    call = scene.arrive()
    scene.press(call, "1")
    before = len(scene.all(c.PlayPrompts))
    for _ in range(3):
        scene.press(call, "9")
    assert len(scene.all(c.PlayPrompts)) == before + 3
    scene.press(call, "9")  # from here on a wrong key
    assert call.ivr and call.ivr.position and call.ivr.position.attempts == 1


def test_wrong_keys_use_up_the_retries() -> None:
    scene = Scene()
    call = scene.arrive()
    for key in "1777":
        scene.press(call, key)
    assert call.wait is not None and call.wait.queue == "sales"


def test_a_short_key_waits_for_a_longer_one() -> None:
    scene = with_flow(lambda doc: doc["nodes"]["main"]["keys"].update({"12": "tech"}))
    call = scene.arrive()
    scene.press(call, "1")
    scene.press(call, "1")
    assert call.wait is None
    scene.wait(2.1)
    assert call.wait is not None and call.wait.queue == "sales"


def test_a_longer_key_is_taken_at_once() -> None:
    scene = with_flow(lambda doc: doc["nodes"]["main"]["keys"].update({"12": "tech"}))
    call = scene.arrive()
    for key in "112":
        scene.press(call, key)
    assert call.wait is not None and call.wait.queue == "tech"


def test_a_prompt_that_cannot_be_played_does_not_strand_the_caller() -> None:
    scene = Scene()
    call = scene.arrive()
    played(scene, e.PlayOutcome.FAILED)
    assert scene.last(f.AlarmRaised).kind == "prompt_failed"
    scene.press(call, "1")
    assert scene.last(c.PlayPrompts).sounds == ("main.zh.wav",)


def test_the_alarm_of_a_prompt_ends_when_it_is_heard_again() -> None:
    scene = Scene()
    scene.arrive()
    played(scene, e.PlayOutcome.FAILED)
    call = scene.arrive("cust2")
    scene.press(call, "1")
    played(scene, e.PlayOutcome.DONE)
    assert scene.state.alarms, "another one was"
    scene.arrive("cust3")
    played(scene, e.PlayOutcome.DONE)
    assert not scene.state.alarms


def test_a_prompt_whose_end_nobody_reports_is_over_some_time() -> None:
    """By its own length and a little, or a caller would sit in silence for as long as the longest might take."""
    scene = Scene(center_config(sound_ms={"choose.zh.wav": 4_000, "choose.en.wav": 2_000}))
    call = scene.arrive()
    scene.wait(8.9)
    assert call.ivr and call.ivr.position and call.ivr.position.phase == "playing"
    scene.wait(0.2)
    assert call.ivr.position.phase == "waiting" and call.ivr.position.node == "lang"
    late = scene.last(c.PlayPrompts)
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=late.play, outcome=e.PlayOutcome.DONE))
    scene.wait(5)
    assert call.ivr.position.node == "main" and scene.folded() == scene.state


def test_a_prompt_of_unknown_length_is_given_its_time() -> None:
    scene = Scene()
    call = scene.arrive()
    scene.wait(110)
    assert call.ivr and call.ivr.position and call.ivr.position.phase == "playing", "two files that nobody has measured"
    scene.wait(14)
    assert call.ivr.position.phase == "waiting"


def test_an_old_prompts_end_is_not_the_new_ones() -> None:
    scene = Scene()
    call = scene.arrive()
    old = scene.last(c.PlayPrompts)
    scene.press(call, "1")
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=old.play, outcome=e.PlayOutcome.STOPPED))
    assert call.ivr and call.ivr.position and call.ivr.position.phase == "playing"


def test_a_flow_in_circles_ends_in_its_handler() -> None:
    scene = with_flow(
        lambda doc: doc["nodes"].update(
            lang={"type": "play", "on": {"done": "main"}}, main={"type": "play", "on": {"done": "lang"}}
        )
    )
    call = scene.arrive()
    assert call.state == "closing", "no limit handler here: goodbye, not an endless loop"


def test_timeout_port_of_the_flow_beats_the_queues_rule() -> None:
    scene = with_flow(lambda doc: doc["nodes"]["tech"].update(max_wait_s=30, on={"timeout": "bye"}))
    call = scene.to_queue("cust1", "12")
    scene.wait(31)
    assert call.state == "closing" and scene.last(c.PlayPrompts).sounds == ("bye.zh.wav", "bye.en.wav")


def test_publishing_leaves_callers_in_the_version_they_entered() -> None:
    scene = Scene()
    call = scene.arrive()
    scene.press(call, "1")
    document = copy.deepcopy(FLOW)
    del document["nodes"]["main"]["keys"]["2"]
    changed = cfg.FlowConfig(
        id="hot", tenant=TENANT, version="v2", document=document, sounds=center_config().flows["hot"].sounds
    )
    scene.feed(e.ConfigChanged(config=center_config(2, flows={"hot": changed})))
    scene.press(call, "2")
    assert call.wait is not None and call.wait.queue == "tech"
    assert scene.folded() == scene.state
