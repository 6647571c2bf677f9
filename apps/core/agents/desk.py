"""What agents and supervisors ask for. Each rule returns why not, or does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents import states
from apps.core.agents.machine import BUSY, RESTING, AgentState
from apps.core.agents.model import Agent
from apps.core.calls import transfers
from apps.core.calls.model import Call, CallState, Leg
from apps.core.center import Center
from apps.core.queues import offers

MAX_NOTE = 4_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """``code`` is stable, for screens to translate; ``reason`` says in English what would help."""

    code: str
    reason: str


STALE = Refusal("stale", "the call has changed since you saw it")
NOT_YOURS = Refusal("not_found", "you have no such call")
Rule = Callable[[Center, Agent, Any], Refusal | None]
RULES: dict[type[e.AgentRequest], Rule] = {}


def _on(kind: type[e.AgentRequest]) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES[kind] = rule
        return rule

    return register


def request(center: Center, event: e.AgentRequest) -> None:
    """Carry out or refuse; a repeated ``cmd_id`` gets its first outcome again and changes nothing."""
    known = center.state.requests.get(event.cmd_id)
    if known is not None:
        _answer(center, event, Refusal(known, "repeated; this was the first outcome") if known else None)
        return
    agent = center.agent(event.agent)
    rule = RULES.get(type(event))
    if agent is None or agent.tenant != event.tenant:
        refusal: Refusal | None = Refusal("not_found", "no such agent")
    elif rule is None:
        refusal = Refusal("unsupported", f"{type(event).__name__} is not supported")
    else:
        refusal = rule(center, agent, event)
    _answer(center, event, refusal)


def _answer(center: Center, event: e.AgentRequest, refusal: Refusal | None) -> None:
    name = type(event).__name__
    if refusal is None:
        center.emit(
            f.RequestDone(
                at_ms=center.now_ms, tenant=event.tenant, cmd_id=event.cmd_id, actor=event.actor, request=name
            )
        )
        return
    center.emit(
        f.RequestRefused(
            at_ms=center.now_ms,
            tenant=event.tenant,
            cmd_id=event.cmd_id,
            actor=event.actor,
            request=name,
            code=refusal.code,
            reason=refusal.reason,
        )
    )


def _wrong_state(agent: Agent) -> Refusal:
    return Refusal("wrong_state", f"not possible while {agent.state}")


# --- presence ------------------------------------------------------------------------------------------------------


@_on(e.AgentSignedIn)
def _sign_in(center: Center, agent: Agent, event: e.AgentSignedIn) -> Refusal | None:
    if agent.state is AgentState.DISCONNECTED:
        states.reconnect(center, agent)
    elif agent.state is AgentState.LOGGED_OUT:
        states.move(center, agent.id, AgentState.PAUSED, reason="login", keep_next=False)
    return None


@_on(e.AgentSignedOut)
def _sign_out(center: Center, agent: Agent, event: e.AgentSignedOut) -> Refusal | None:
    return _go_to(center, agent, AgentState.LOGGED_OUT, "")


@_on(e.AgentWentReady)
def _ready(center: Center, agent: Agent, event: e.AgentWentReady) -> Refusal | None:
    config = center.agent_config(agent.id)
    if config is None or config.device is None:
        return Refusal("no_device", "no telephone is assigned to you; ask your administrator")
    return _go_to(center, agent, AgentState.READY, "")


@_on(e.AgentPaused)
def _pause(center: Center, agent: Agent, event: e.AgentPaused) -> Refusal | None:
    return _go_to(center, agent, AgentState.PAUSED, event.reason[:64])


@_on(e.AgentForced)
def _force(center: Center, agent: Agent, event: e.AgentForced) -> Refusal | None:
    if event.state not in RESTING:
        return Refusal("bad_state", "an agent can be forced to READY, PAUSED or LOGGED_OUT")
    return _go_to(center, agent, AgentState(event.state), event.reason[:64] or "forced")


def _go_to(center: Center, agent: Agent, state: AgentState, reason: str) -> Refusal | None:
    """At once when nothing is going on, after the call and its wrap-up otherwise."""
    logical = states.logical(agent)
    if logical is state and (state is not AgentState.PAUSED or agent.reason == reason):
        return None
    if logical in BUSY:
        center.emit(
            f.AgentNextStateSet(
                at_ms=center.now_ms, tenant=agent.tenant, agent=agent.id, next_state=state, next_reason=reason
            )
        )
        return None
    if logical is AgentState.LOGGED_OUT:
        return Refusal("wrong_state", "sign in first")
    idle_since_ms = center.now_ms if state is AgentState.READY else None
    states.move(center, agent.id, state, reason=reason, idle_since_ms=idle_since_ms, keep_next=False)
    return None


@_on(e.AgentConnectionLost)
def _connection_lost(center: Center, agent: Agent, event: e.AgentConnectionLost) -> Refusal | None:
    """An offer goes to the next agent and does not count as missed; a talk goes on."""
    if agent.state in (AgentState.LOGGED_OUT, AgentState.DISCONNECTED):
        return None
    call = center.state.calls.get(agent.call) if agent.call is not None else None
    if call is not None and call.offer is not None and call.offer.agent == agent.id:
        offers.withdraw(center, call, f.OfferOutcome.WITHDRAWN)
    states.disconnect(center, agent)
    return None


@_on(e.AgentConnectionRestored)
def _connection_restored(center: Center, agent: Agent, event: e.AgentConnectionRestored) -> Refusal | None:
    if agent.state is AgentState.DISCONNECTED:
        states.reconnect(center, agent)
    return None


# --- the call in hand ----------------------------------------------------------------------------------------------


def _offered(center: Center, agent: Agent, event: e.CallRequest) -> tuple[Call | None, Refusal | None]:
    call = center.state.calls.get(event.call)
    if call is None or call.tenant != agent.tenant or agent.call != event.call:
        return None, NOT_YOURS
    if call.offer is None or call.offer.agent != agent.id:
        return None, STALE
    return call, None


def _talking(center: Center, agent: Agent, event: e.CallRequest) -> tuple[Call | None, Leg | None, Refusal | None]:
    """The agent's call and leg while talking, or why there is none."""
    call = center.state.calls.get(event.call)
    if call is None or call.tenant != agent.tenant or agent.call != event.call:
        return None, None, NOT_YOURS
    if event.version is not None and event.version < call.version:
        return None, None, STALE
    leg = call.legs.get(call.bridge.leg) if call.bridge else None
    if call.state is not CallState.TALKING or leg is None or leg.agent != agent.id:
        return None, None, _wrong_state(agent)
    return call, leg, None


@_on(e.AnswerRequested)
def _answer_offer(center: Center, agent: Agent, event: e.AnswerRequested) -> Refusal | None:
    call, refusal = _offered(center, agent, event)
    if call is not None and call.offer is not None and call.offer.leg in call.legs:
        leg = call.legs[call.offer.leg]
        center.send(c.AnswerDevice(switch=leg.switch, leg=leg.id))
    return refusal


@_on(e.DeclineRequested)
def _decline_offer(center: Center, agent: Agent, event: e.DeclineRequested) -> Refusal | None:
    call, refusal = _offered(center, agent, event)
    if call is not None:
        offers.decline(center, call)
    return refusal


@_on(e.HangUpRequested)
def _hang_up(center: Center, agent: Agent, event: e.HangUpRequested) -> Refusal | None:
    _call, leg, refusal = _talking(center, agent, event)
    if leg is not None:
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))
    return refusal


@_on(e.HoldRequested)
def _hold(center: Center, agent: Agent, event: e.HoldRequested) -> Refusal | None:
    call, leg, refusal = _talking(center, agent, event)
    if call is not None and leg is not None and call.bridge is not None:
        if call.bridge.held_ms is not None:
            return _wrong_state(agent)
        center.send(c.HoldLeg(switch=leg.switch, leg=leg.id))
    return refusal


@_on(e.ResumeRequested)
def _resume(center: Center, agent: Agent, event: e.ResumeRequested) -> Refusal | None:
    call, leg, refusal = _talking(center, agent, event)
    if call is not None and leg is not None and call.bridge is not None:
        if call.bridge.held_ms is None:
            return _wrong_state(agent)
        center.send(c.UnholdLeg(switch=leg.switch, leg=leg.id))
    return refusal


@_on(e.TransferRequested)
def _transfer(center: Center, agent: Agent, event: e.TransferRequested) -> Refusal | None:
    call, leg, refusal = _talking(center, agent, event)
    if call is None or leg is None:
        return refusal
    if call.transfer is not None:
        return Refusal("wrong_state", "a transfer is already under way")
    problem = transfers.target_problem(center, call, event.kind, event.target)
    if problem:
        return Refusal("bad_target", problem)
    transfers.start(center, call, agent.id, event.kind, event.target)
    return None


# --- wrap-up -------------------------------------------------------------------------------------------------------


@_on(e.WrapUpFinished)
def _finish_wrap_up(center: Center, agent: Agent, event: e.WrapUpFinished) -> Refusal | None:
    if agent.state is not AgentState.WRAP_UP or agent.call != event.call:
        return _wrong_state(agent)
    tenant = center.state.config.tenants.get(agent.tenant)
    if tenant is not None and tenant.dispositions and event.disposition not in tenant.dispositions:
        return Refusal("bad_disposition", "no such disposition")
    states.dispose(center, agent, event.disposition[:64], event.note[:MAX_NOTE])
    states.rest(center, agent)
    return None


@_on(e.WrapUpExtended)
def _extend_wrap_up(center: Center, agent: Agent, event: e.WrapUpExtended) -> Refusal | None:
    if agent.state is not AgentState.WRAP_UP or agent.call != event.call:
        return _wrong_state(agent)
    if agent.extended >= states.MAX_EXTENSIONS:
        return Refusal("limit", f"wrap-up can be extended {states.MAX_EXTENSIONS} times")
    ends_ms = (agent.deadline_ms or center.now_ms) + states.EXTENSION_MS
    states.move(center, agent.id, AgentState.WRAP_UP, call=agent.call, deadline_ms=ends_ms)
    return None
