"""What agents and supervisors ask for. Each rule returns why not, or does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.core import events as e
from apps.core import facts as f
from apps.core.agents import reach, states
from apps.core.agents.machine import BUSY, IN_CALL, AgentState
from apps.core.agents.model import Agent
from apps.core.calls import dialing
from apps.core.center import Center
from apps.core.queues import offers
from apps.core.refusals import Refusal
from apps.core.requests import answer_once
from apps.core.texts import LONGEST_KEY, LONGEST_NOTE, LONGEST_REASON

Rule = Callable[[Center, Agent, Any], Refusal | None]
RULES: dict[type[e.AgentRequest], Rule] = {}


def on(kind: type[e.AgentRequest]) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES[kind] = rule
        return rule

    return register


def request(center: Center, event: e.AgentRequest) -> None:
    answer_once(center, event, lambda: _carry_out(center, event))


def _carry_out(center: Center, event: e.AgentRequest) -> Refusal | None:
    agent = center.agent(event.agent)
    rule = RULES.get(type(event))
    if agent is None or agent.tenant != event.tenant:
        return Refusal("not_found", "no such agent")
    if rule is None:
        return Refusal("unsupported", f"{type(event).__name__} is not supported")
    return rule(center, agent, event)


def wrong_state(agent: Agent) -> Refusal:
    return Refusal("wrong_state", f"not possible while {agent.state}")


# --- presence ------------------------------------------------------------------------------------------------------


@on(e.AgentSignedIn)
def _sign_in(center: Center, agent: Agent, event: e.AgentSignedIn) -> Refusal | None:
    if agent.state is AgentState.DISCONNECTED:
        states.reconnect(center, agent)
    elif agent.state is AgentState.LOGGED_OUT:
        states.move(center, agent.id, AgentState.PAUSED, reason="login", keep_next=False)
    return None


@on(e.AgentSignedOut)
def _sign_out(center: Center, agent: Agent, event: e.AgentSignedOut) -> Refusal | None:
    return go_to(center, agent, AgentState.LOGGED_OUT, "")


@on(e.AgentWentReady)
def _ready(center: Center, agent: Agent, event: e.AgentWentReady) -> Refusal | None:
    config = center.agent_config(agent.id)
    if config is None or config.device is None:
        return Refusal("no_device", "no telephone is assigned to you; ask your administrator")
    if reach.lacks_media(agent, config.device):
        return Refusal("media_not_ready", "no page of yours has a live microphone")
    return go_to(center, agent, AgentState.READY, "")


@on(e.AgentPaused)
def _pause(center: Center, agent: Agent, event: e.AgentPaused) -> Refusal | None:
    tenant = center.state.config.tenants.get(agent.tenant)
    if event.reason and (tenant is None or event.reason not in tenant.pause_reasons):
        return Refusal("bad_reason", "no such pause reason")
    return go_to(center, agent, AgentState.PAUSED, event.reason)


def go_to(center: Center, agent: Agent, state: AgentState, reason: str) -> Refusal | None:
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


@on(e.AgentConnectionLost)
def _connection_lost(center: Center, agent: Agent, event: e.AgentConnectionLost) -> Refusal | None:
    """An offer goes to the next agent and does not count as missed; a talk goes on."""
    if agent.state in (AgentState.LOGGED_OUT, AgentState.DISCONNECTED):
        return None
    call = center.state.calls.get(agent.call) if agent.call is not None else None
    if call is not None and (offer := call.offer_to(agent.id)) is not None:
        offers.withdraw(center, call, offer, f.OfferOutcome.WITHDRAWN)
    states.disconnect(center, agent)
    return None


@on(e.AgentConnectionRestored)
def _connection_restored(center: Center, agent: Agent, event: e.AgentConnectionRestored) -> Refusal | None:
    if agent.state is AgentState.DISCONNECTED:
        states.reconnect(center, agent)
    return None


# --- the sound of a browser phone ------------------------------------------------------------------------------------


@on(e.MediaClaimed)
def _claim_media(center: Center, agent: Agent, event: e.MediaClaimed) -> Refusal | None:
    """The newest page that asks has it; the others learn it by the epoch."""
    if event.page == agent.media_page:
        return None
    center.emit(
        f.AgentMediaMoved(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            epoch=agent.media_epoch + 1,
            page=event.page[:LONGEST_KEY],
        )
    )
    return None


@on(e.MediaReady)
def _media_ready(center: Center, agent: Agent, event: e.MediaReady) -> Refusal | None:
    """Lost media: no offers until it is back; one that rings unheard goes on to the next agent."""
    if event.epoch < agent.media_epoch:
        return Refusal("media_moved", "another page of yours has the sound")
    if event.ready is not agent.media_ready:
        center.emit(f.AgentMediaChanged(at_ms=center.now_ms, tenant=agent.tenant, agent=agent.id, ready=event.ready))
    config = center.agent_config(agent.id)
    call = center.state.calls.get(agent.call) if agent.call is not None else None
    unheard = config is not None and config.device is not None and reach.lacks_media(agent, config.device)
    if unheard and call is not None and (offer := call.offer_to(agent.id)) is not None:
        offers.withdraw(center, call, offer, f.OfferOutcome.UNACKNOWLEDGED)
    return None


# --- dialling out ----------------------------------------------------------------------------------------------------


@on(e.DialRequested)
def _dial(center: Center, agent: Agent, event: e.DialRequested) -> Refusal | None:
    return dialing.ask(center, agent, event)


# --- wrap-up -------------------------------------------------------------------------------------------------------


@on(e.DraftSaved)
def _save_draft(center: Center, agent: Agent, event: e.DraftSaved) -> Refusal | None:
    """Who is typing when wrap-up is about to end gets a little more time, a few times."""
    state = states.logical(agent)
    if agent.call != event.call or state not in IN_CALL | {AgentState.WRAP_UP} or state is AgentState.DIALING:
        return wrong_state(agent)
    left_ms = agent.deadline_ms - center.now_ms if agent.deadline_ms is not None else None
    ending = agent.state is AgentState.WRAP_UP and left_ms is not None and left_ms <= states.TYPING_WINDOW_MS
    more = ending and agent.typed_on < states.MAX_TYPED_ON
    center.emit(
        f.AgentDrafted(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            call=event.call,
            note=event.note[:LONGEST_NOTE],
            disposition=event.disposition[:LONGEST_REASON],
            deadline_ms=(agent.deadline_ms or center.now_ms) + states.TYPING_MS if more else None,
        )
    )
    return None


@on(e.WrapUpFinished)
def _finish_wrap_up(center: Center, agent: Agent, event: e.WrapUpFinished) -> Refusal | None:
    if agent.state is not AgentState.WRAP_UP or agent.call != event.call:
        return wrong_state(agent)
    nothing = not event.disposition and not states.owes_result(center.state, agent)
    if not nothing and not states.is_disposition(center, agent, event.disposition):
        return Refusal("bad_disposition", "no such disposition")
    states.dispose(center, agent, event.disposition[:LONGEST_REASON], event.note[:LONGEST_NOTE])
    states.rest(center, agent)
    return None


@on(e.LateResultGiven)
def _give_late_result(center: Center, agent: Agent, event: e.LateResultGiven) -> Refusal | None:
    """It takes no wrap-up time: that ran out and was counted."""
    if agent.call == event.call:
        return wrong_state(agent)
    if not states.is_disposition(center, agent, event.disposition):
        return Refusal("bad_disposition", "no such disposition")
    center.emit(
        f.CallDisposed(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            call=event.call,
            agent=agent.id,
            disposition=event.disposition[:LONGEST_REASON],
            note=event.note[:LONGEST_NOTE],
            wrap_up_ms=0,
        )
    )
    return None


@on(e.WrapUpExtended)
def _extend_wrap_up(center: Center, agent: Agent, event: e.WrapUpExtended) -> Refusal | None:
    if agent.state is not AgentState.WRAP_UP or agent.call != event.call:
        return wrong_state(agent)
    if agent.extended >= states.MAX_EXTENSIONS:
        return Refusal("limit", f"wrap-up can be extended {states.MAX_EXTENSIONS} times")
    ends_ms = (agent.deadline_ms or center.now_ms) + states.EXTENSION_MS
    states.move(center, agent.id, AgentState.WRAP_UP, call=agent.call, deadline_ms=ends_ms)
    return None
