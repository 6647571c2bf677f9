"""Pauses that last too long, calls that ring unanswered, results that are owed and results that are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents import pauses, states
from apps.core.calls.model import Call
from tests.core.scene import TENANT, Scene, center_config

MIN_MS = 60_000
MIDNIGHT_MS = 1_700_000_000_000 - 1_700_000_000_000 % 86_400_000 - 8 * 3_600_000  # in Shanghai


def tenant_with(**changes: object) -> cfg.CenterConfig:
    config = center_config()
    return center_config(tenants={TENANT: replace(config.tenants[TENANT], **changes)})


def queue_with(**changes: object) -> cfg.CenterConfig:
    config = center_config()
    return center_config(queues={**config.queues, "sales": replace(config.queues["sales"], **changes)})


def paused(scene: Scene, reason: str, minutes: float) -> None:
    scene.ask(e.AgentPaused, "bob", reason=reason)
    scene.wait(minutes * 60)


# --- pauses --------------------------------------------------------------------------------------------------------


def lunch(**limit: int) -> Scene:
    scene = Scene(tenant_with(pause_limits={"lunch": cfg.PauseLimit(**limit)}), start_ms=MIDNIGHT_MS + 9 * 60 * MIN_MS)
    scene.ready("bob")
    return scene


def test_a_pause_that_lasts_too_long_is_said_once_and_over_when_it_ends() -> None:
    scene = lunch(each_ms=30 * MIN_MS)
    paused(scene, "lunch", 29)
    assert not scene.all(f.PauseOverran) and not scene.state.alarms
    scene.wait(20 * 60)
    assert [fact.reason for fact in scene.all(f.PauseOverran)] == ["lunch"]
    assert f"{pauses.ALARM}/bob" in scene.state.alarms
    assert scene.agent_state("bob") == "PAUSED", "nobody is thrown out of a pause"
    scene.ask(e.AgentWentReady, "bob")
    assert not scene.state.alarms and scene.state.agents["bob"].pause is None
    assert scene.folded().to_data() == scene.state.to_data()


def test_pauses_of_a_day_add_up_and_a_new_day_begins_at_nought() -> None:
    scene = lunch(day_ms=60 * MIN_MS)
    for _ in range(2):
        paused(scene, "lunch", 25)
        scene.ask(e.AgentWentReady, "bob")
    paused(scene, "meeting", 50)
    scene.ask(e.AgentWentReady, "bob")
    paused(scene, "lunch", 9)
    bob = scene.state.agents["bob"]
    assert pauses.used_ms(scene.state, bob, "lunch", scene.now_ms) == 59 * MIN_MS and not scene.all(f.PauseOverran)
    scene.wait(2 * 60)
    assert len(scene.all(f.PauseOverran)) == 1
    scene.ask(e.AgentWentReady, "bob")
    scene.now_ms = MIDNIGHT_MS + 24 * 60 * MIN_MS - 10 * MIN_MS  # in the evening
    paused(scene, "lunch", 9)
    assert len(scene.all(f.PauseOverran)) == 2, "today's hour was used up before"
    scene.ask(e.AgentWentReady, "bob")
    scene.wait(10 * 60)
    paused(scene, "lunch", 59)
    assert len(scene.all(f.PauseOverran)) == 2
    assert scene.folded().to_data() == scene.state.to_data()


def test_a_pause_over_midnight_counts_from_midnight() -> None:
    scene = lunch(day_ms=60 * MIN_MS)
    scene.now_ms = MIDNIGHT_MS + 24 * 60 * MIN_MS - 10 * MIN_MS
    paused(scene, "lunch", 10 + 59)
    assert not scene.all(f.PauseOverran)
    scene.wait(2 * 60)
    assert len(scene.all(f.PauseOverran)) == 1


def test_a_pause_goes_on_behind_a_lost_console() -> None:
    scene = lunch(each_ms=30 * MIN_MS)
    paused(scene, "lunch", 29.8)
    scene.ask(e.AgentConnectionLost, "bob")
    scene.wait(30)
    assert len(scene.all(f.PauseOverran)) == 1
    scene.ask(e.AgentConnectionRestored, "bob")
    assert scene.state.agents["bob"].pause is not None and len(scene.all(f.PauseOverran)) == 1
    scene.ask(e.AgentPaused, "bob", reason="meeting")
    assert not scene.state.alarms, "another pause began"


def test_who_signs_out_of_a_long_pause_leaves_no_alarm() -> None:
    scene = lunch(each_ms=MIN_MS)
    paused(scene, "lunch", 2)
    scene.ask(e.AgentConnectionLost, "bob")
    scene.wait(states.DISCONNECTED_MS / 1000 + 1)
    assert scene.agent_state("bob") == "LOGGED_OUT" and not scene.state.alarms


# --- calls that ring unanswered ------------------------------------------------------------------------------------


def missed(scene: Scene, call: Call) -> None:
    [leg] = [leg for leg in call.legs if leg != call.leg]
    scene.feed(e.LegRinging(switch="fs1", leg=leg))
    scene.hang_up(leg, e.HangupCause.NO_ANSWER)


@pytest.mark.parametrize("limit", [1, 3])
def test_an_agent_stops_getting_calls_after_so_many_missed_in_a_row(limit: int) -> None:
    scene = Scene(tenant_with(missed_limit=limit))
    scene.ready("bob")
    call = scene.to_queue()
    for _ in range(limit):
        assert scene.agent_state("bob") == "OFFERED"
        missed(scene, call)
    assert scene.agent_state("bob") == "NOT_RESPONDING"
    assert scene.state.agents["bob"].missed == 0
    assert scene.folded().to_data() == scene.state.to_data()


def test_a_call_that_was_taken_wipes_out_the_missed_ones() -> None:
    scene = Scene(tenant_with(missed_limit=2))
    scene.ready("bob")
    call = scene.to_queue()
    missed(scene, call)
    assert scene.state.agents["bob"].missed == 1
    scene.answer_offer(call)
    assert scene.state.agents["bob"].missed == 0
    scene.hang_up(call.leg)
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    missed(scene, scene.to_queue("cust2"))
    assert scene.agent_state("bob") == "OFFERED", "once more"


# --- results -------------------------------------------------------------------------------------------------------


def wrapping_up(scene: Scene) -> str:
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.hang_up(call.leg)
    assert scene.agent_state("bob") == "WRAP_UP"
    return call.id


def test_where_a_result_is_required_wrap_up_ends_with_one_or_owes_it() -> None:
    scene = Scene()
    call = wrapping_up(scene)
    scene.ask(e.WrapUpFinished, "bob", call=call, disposition="")
    assert scene.just(f.RequestRefused)[0].code == "bad_disposition" and scene.agent_state("bob") == "WRAP_UP"
    scene.ask(e.DraftSaved, "bob", call=call, note="calls back", disposition="sold")
    scene.wait(60)
    assert (scene.last(f.CallDisposed).disposition, scene.last(f.CallDisposed).note) == (states.UNSET, "calls back")


def test_where_none_is_required_wrap_up_ends_without() -> None:
    scene = Scene(queue_with(disposition_required=False))
    call = wrapping_up(scene)
    scene.ask(e.WrapUpFinished, "bob", call=call, disposition="nonsense")
    assert scene.just(f.RequestRefused)[0].code == "bad_disposition"
    scene.ask(e.WrapUpFinished, "bob", call=call, disposition="")
    assert scene.last(f.CallDisposed).disposition == "" and scene.agent_state("bob") == "READY"


@pytest.mark.parametrize(("drafted", "kept"), [("", ""), ("sold", "sold"), ("nonsense", "")])
def test_where_none_is_required_the_end_of_the_time_keeps_what_was_chosen(drafted: str, kept: str) -> None:
    scene = Scene(queue_with(disposition_required=False))
    call = wrapping_up(scene)
    scene.ask(e.DraftSaved, "bob", call=call, note="", disposition=drafted)
    scene.wait(60)
    assert scene.last(f.CallDisposed).disposition == kept and scene.agent_state("bob") == "READY"
    assert scene.folded().to_data() == scene.state.to_data()


def test_what_an_agent_dialled_owes_a_result_whatever_the_queue_before_it() -> None:
    scene = Scene(queue_with(disposition_required=False))
    call = wrapping_up(scene)
    scene.ask(e.WrapUpFinished, "bob", call=call, disposition="")
    scene.ask(e.DialRequested, "bob", number="13900139000")
    [dialled] = [one for one in scene.state.calls.values() if one.dial is not None]
    leg = next(iter(dialled.legs))
    scene.feed(e.LegParked(switch="fs1", leg=leg))
    scene.feed(e.LegParked(switch="fs1", leg=dialled.leg))
    scene.feed(e.LegsBridged(switch="fs1", leg=leg, other=dialled.leg))
    scene.hang_up(dialled.leg)
    assert scene.agent_state("bob") == "WRAP_UP"
    scene.ask(e.WrapUpFinished, "bob", call=dialled.id, disposition="")
    assert scene.just(f.RequestRefused)[0].code == "bad_disposition"
