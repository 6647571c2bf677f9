"""What an engine forgets, does twice, or does after another has begun to lead: each bug that is planted is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.core import commands as c
from apps.core import facts as f
from apps.core import fold_rules, texts
from apps.core.agents.machine import AgentState
from apps.core.callbacks import attempts
from apps.core.callbacks.model import CallbackState
from apps.core.calls.model import Call, CallState, Wait
from apps.core.center import Center
from apps.core.events import HangupCause
from apps.core.ids import AgentId, LegId
from apps.core.state import State
from tests.sim.auditor import Promise
from tests.sim.story import Story
from tests.sim.test_auditor import shows
from tests.sim.world import World

_of = Story.of

# --- attached data (随路数据): lost in the fold, so that the fold of the facts still is the state ---------------------


def attached_is_gone(call: Call) -> None:
    call.attached = {}


def customer_is_gone(call: Call) -> None:
    call.customer = ""


def note_is_gone(call: Call) -> None:
    call.handover = None


def way_is_gone(call: Call) -> None:
    call.path = []


FORGOTTEN: dict[str, tuple[type[f.CallFact], Callable[[Call], None]]] = {
    "a transfer loses attached data": (f.TransferStarted, attached_is_gone),
    "a transfer loses the agent's note": (f.TransferStarted, note_is_gone),
    "a consult loses attached data": (f.ConsultStarted, attached_is_gone),
    "a consult loses the agent's note": (f.ConsultAnswered, note_is_gone),
    "a queue loses the way through the menu": (f.CallQueued, way_is_gone),
    "a call back loses attached data": (f.CallbackBooked, attached_is_gone),
    "a call back loses its customer": (f.CallbackJoined, customer_is_gone),
    "a call back loses attached data when it is tried again": (f.CallbackTried, attached_is_gone),
}


@pytest.mark.parametrize("bug", FORGOTTEN)
def test_what_a_call_forgets_is_seen(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    kind, forget = FORGOTTEN[bug]
    rule = fold_rules.CALL_RULES[kind]

    def forgetful(state: State, call: Call, fact: Any) -> None:
        rule(state, call, fact)
        forget(call)

    monkeypatch.setitem(fold_rules.CALL_RULES, kind, forgetful)
    assert shows(Promise.DATA)


def test_what_is_not_taken_over_from_the_request_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "attached", lambda given: {})
    assert shows(Promise.DATA)


def test_who_is_offered_a_call_in_mid_talk_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The telephone was rung as an extension while its agent paused, and now the agent is ready."""
    rule = fold_rules.CALL_RULES[f.LegStarted]

    def forgetful(state: State, call: Call, fact: f.LegStarted) -> None:
        rule(state, call, replace(fact, phone_of=None))

    monkeypatch.setitem(fold_rules.CALL_RULES, f.LegStarted, forgetful)
    assert shows(Promise.ONE_AGENT)


# --- a customer called twice at once ----------------------------------------------------------------------------------


def calls_on_two_lines(center: Center, call: Call, agent: AgentId, _once: Any = attempts.call_customer) -> None:
    _once(center, call, agent)
    dial = next((one for one in reversed(center.effects) if isinstance(one, c.OriginateLeg)), None)
    if dial is not None:
        center.send(replace(dial, leg=LegId(f"{dial.leg}b")))


def tries_again_beside_the_first(center: Center, call: Call, _once: Any = attempts.joined) -> None:
    """Who has answered counts as not reached, and is called again at once."""
    if call.callback is not None and call.callback.state is CallbackState.CALLING:
        center.emit(
            f.CallbackTried(
                at_ms=center.now_ms, tenant=call.tenant, call=call.id, callback=call.callback.id,
                outcome=f.DialOutcome.NO_ANSWER, cause=HangupCause.NO_ANSWER, counted=True, next_ms=center.now_ms,
            )
        )  # fmt: skip


TWICE: dict[str, tuple[object, str, object]] = {
    "two lines ring the same customer": (attempts, "call_customer", calls_on_two_lines),
    "who has answered is called again": (attempts, "joined", tries_again_beside_the_first),
}


@pytest.mark.parametrize("bug", TWICE)
def test_who_is_called_twice_is_seen(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    where, name, planted = TWICE[bug]
    monkeypatch.setattr(where, name, planted)
    assert shows(Promise.ONCE)


# --- a new leader -----------------------------------------------------------------------------------------------------


def a_waiting_caller_is_forgotten(state: State) -> None:
    call = next((one for one in state.calls.values() if one.state is CallState.WAITING and one.leg in one.legs), None)
    if call is not None:
        _forget(state, call)


def a_talk_is_forgotten(state: State) -> None:
    call = next((one for one in state.calls.values() if one.state is CallState.TALKING), None)
    if call is not None:
        _forget(state, call)


def _forget(state: State, call: Call) -> None:
    del state.calls[call.id]
    for leg in call.legs:
        del state.legs[leg]


def who_talks_waits_again(state: State) -> None:
    """The place in line is older than the talk that came of it."""
    for call in state.calls.values():
        if call.state is CallState.TALKING and call.bridge is not None and call.bridge.queue is not None:
            until_ms = state.now_ms + 60_000
            call.wait = Wait(
                queue=call.bridge.queue, needs=(), priority=9, queued_ms=0, deadline_ms=until_ms, entered_ms=0
            )
            call.bridge, call.state = None, CallState.WAITING


def who_was_asked_stays_reserved(state: State) -> None:
    """Its offer has ended, and it does not know."""
    for agent in state.agents.values():
        if agent.state is AgentState.READY:
            agent.state = AgentState.OFFERED


def who_is_called_back_has_not_been_called(state: State) -> None:
    for call in state.calls.values():
        if call.callback is not None and call.callback.state is CallbackState.CALLING:
            call.callback.state, call.callback.agent, call.state = CallbackState.BOOKED, None, CallState.WAITING


def attached_data_is_not_taken_over(state: State) -> None:
    for call in state.calls.values():
        attached_is_gone(call)


# Who is forgotten comes as a new caller, out of nowhere; an agent in a talk that nobody knows of, on a telephone that
# should rest; who stays reserved, as somebody idle before whom others wait.
TAKEN_OVER: dict[str, tuple[Callable[[State], None], Promise]] = {
    "a waiting caller is forgotten": (a_waiting_caller_is_forgotten, Promise.ONE_OUTCOME),
    "a talk is forgotten": (a_talk_is_forgotten, Promise.NOBODY_STUCK),
    "who talks is offered again": (who_talks_waits_again, Promise.ONE_AGENT),
    "an agent stays reserved": (who_was_asked_stays_reserved, Promise.ORDER),
    "who is being called back is called again": (who_is_called_back_has_not_been_called, Promise.ONCE),
    "attached data is left behind": (attached_data_is_not_taken_over, Promise.DATA),
}


@pytest.mark.parametrize("bug", TAKEN_OVER)
def test_what_a_new_leader_does_not_know_is_seen(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    forget, promise = TAKEN_OVER[bug]
    recovered = World._recovered

    def forgetful(world: World) -> State:
        state = recovered(world)
        forget(state)
        return state

    monkeypatch.setattr(World, "_recovered", forgetful)
    monkeypatch.setattr(Story, "of", lambda seed, calls: replace(_of(seed, calls), crashes_per_hour=40))
    assert shows(promise)


def test_two_who_command_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old leader goes on after it was stopped, and does not ask whether it still leads."""
    monkeypatch.setattr(World, "leads", lambda world, run: True)
    assert shows(Promise.ONE_LEADER)
