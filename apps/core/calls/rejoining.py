"""A browser phone that died in mid-talk: the customer waits with music, and it is called back when its page is there.

A reload, a crash or a lost network takes the page's telephone with it, and not the talk: the agent stays in it. It goes
on when the page asks for its sound (``RejoinRequested``) or says that it has a microphone again. Who has not come back
in ``REJOIN_MS`` finds the call in wrap-up, and the customer stands at the head of the queue.
"""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import kept_open, reach, states
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.calls import closing, recording, talk, telephones
from apps.core.calls.model import Call, CallState, Leg, LegState, Rejoin
from apps.core.center import Center
from apps.core.config import DeviceConfig, DeviceKind
from apps.core.events import HangupCause, LegRole
from apps.core.ids import AgentId
from apps.core.ivr import runs
from apps.core.queues import offers
from apps.core.refusals import Refusal

REJOIN_MS = 30_000
RING_MS = 10_000
"""The page picks up by itself: one that has not by then asks again."""
_PHONE_DIED = frozenset({HangupCause.MEDIA_TIMEOUT, HangupCause.UNREACHABLE, HangupCause.NOT_REGISTERED})
"""Nobody hung up: the switch missed the telephone."""


def ask(center: Center, agent: Agent, call: Call) -> Refusal | None:
    """The page wants its sound back: of a talk that still stands with a dead telephone, too. Repeats change nothing."""
    if _browser_phone(center, agent.id) is None:
        return Refusal("unsupported", "only a telephone in the page is called back")
    if call.state is CallState.TALKING:
        _lose(center, call)
    if call.state is CallState.REJOINING:
        _ring(center, call)
    return None


def look(center: Center) -> None:
    """After each event: is a page gone whose agent talks, or is one back?"""
    for agent_id in list(center.dirty_agents):
        agent = center.agent(agent_id)
        call = center.state.calls.get(agent.call) if agent is not None and agent.call is not None else None
        device = _browser_phone(center, agent_id)
        if agent is None or call is None or device is None:
            continue
        away = reach.is_away(center.state, device)
        if away and not agent.media_ready and talks(call, agent_id):
            _lose(center, call)
        elif agent.media_ready and not away and call.state is CallState.REJOINING:
            _ring(center, call)


def talks(call: Call, agent: AgentId) -> bool:
    """And is about to go on talking: a transfer under way ends the agent's part."""
    return (
        call.state is CallState.TALKING
        and call.bridge is not None
        and call.bridge.agent == agent
        and call.transfer is None
    )


def died(center: Center, call: Call, leg: Leg, cause: HangupCause) -> bool:
    """The switch reports the end of an agent's leg. True: the talk is kept for the agent, who did not hang up."""
    if leg.agent is None or call.bridge is None or call.bridge.leg != leg.id or not talks(call, leg.agent):
        return False
    if not phone_only_died(center, leg.agent, cause):
        return False
    _lose(center, call)
    return True


def phone_only_died(center: Center, agent: AgentId, cause: HangupCause) -> bool:
    """Nobody hung up: it was a browser phone, and the switch misses it."""
    return cause in _PHONE_DIED and _browser_phone(center, agent) is not None


def expected(call: Call, leg: Leg) -> bool:
    """This is the telephone that was called back."""
    rejoin = call.rejoin
    return (
        rejoin is not None and call.state is CallState.REJOINING and leg.agent == rejoin.agent and leg.id != rejoin.left
    )


def connect(center: Center, call: Call) -> None:
    """The customer or the telephone has come; when both are there they talk."""
    leg = _phone(call)
    if leg is not None and leg.state is LegState.IDLE and call.rejoin is not None and call.rejoin.customer_here:
        talk.request_bridge(center, call, leg.id)


def customer_came(center: Center, call: Call) -> None:
    if call.state is CallState.RETURNING and call.rejoin is not None:  # a bridge that was not made: once more
        begin(center, call, call.rejoin)
    center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=offers.music_of(center, call)))
    connect(center, call)


def overdue(center: Center, call: Call) -> None:
    """The customer leg did not come, or the page did not."""
    if call.rejoin is not None and not call.rejoin.customer_here and center.now_ms < call.rejoin.until_ms:
        talk.return_overdue(center, call)
    else:
        give_up(center, call, f.RejoinEnd.TIMED_OUT)


def give_up(center: Center, call: Call, reason: f.RejoinEnd) -> None:
    """The agent wraps up; the customer goes to the head of the queue, or where a talk's end leads."""
    rejoin, leg = call.rejoin, _phone(call)
    if rejoin is None:
        return
    center.emit(
        f.RejoinFailed(at_ms=center.now_ms, tenant=call.tenant, call=call.id, agent=rejoin.agent, reason=reason)
    )
    if leg is not None:
        center.send(offers.hang_up(leg))
    states.to_wrap_up(center, rejoin.agent, call, rejoin.queue)
    recording.stop(center, call)
    queue = rejoin.queue if reason is not f.RejoinEnd.HUNG_UP else None
    if queue is not None and offers.enqueue_first(center, call, queue):
        return
    if not runs.resume_after_talk(center, call):
        closing.close(center, call, f.CallOutcome.SERVED)


# --- inside --------------------------------------------------------------------------------------------------------


def _lose(center: Center, call: Call) -> None:
    """Part the two as at a talk's end, but keep the agent in it and the recording running."""
    bridge = call.bridge
    if bridge is None or bridge.agent is None:
        return
    held, muted = bridge.held_ms is not None, bridge.muted
    talk.part(center, call)
    agent = center.agent(bridge.agent)
    if agent is not None:
        kept_open.let_go(center, agent, HangupCause.MEDIA_TIMEOUT)  # dead with its page; it is rung anew
        if states.logical(agent) is AgentState.HOLDING:
            states.to_talking(center, agent.id, call)
    until_ms = center.now_ms + REJOIN_MS
    rejoin = Rejoin(agent=bridge.agent, queue=bridge.queue, left=bridge.leg, until_ms=until_ms, held=held, muted=muted)
    begin(center, call, rejoin)


def begin(center: Center, call: Call, rejoin: Rejoin) -> None:
    center.emit(
        f.RejoinStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=rejoin.agent,
            queue=rejoin.queue,
            left=rejoin.left,
            held=rejoin.held,
            muted=rejoin.muted,
            deadline_ms=min(rejoin.until_ms, center.now_ms + talk.RETURN_TIMEOUT_MS),
            until_ms=rejoin.until_ms,
        )
    )


def _ring(center: Center, call: Call) -> None:
    """Call the telephone back, unless it is being called."""
    rejoin = call.rejoin
    config = center.agent_config(rejoin.agent) if rejoin is not None else None
    if rejoin is None or config is None or config.device is None or _phone(call) is not None:
        return
    leg = center.mint.leg()
    center.emit(
        f.LegStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=leg,
            switch=config.device.switch,
            role=LegRole.AGENT,
            address=config.device.address,
            agent=rejoin.agent,
            queue=rejoin.queue,
        )
    )
    telephones.ring(center, call, config, config.device, leg, RING_MS, auto_answer=True)


def _phone(call: Call) -> Leg | None:
    return next((leg for leg in call.legs.values() if expected(call, leg)), None)


def _browser_phone(center: Center, agent: AgentId) -> DeviceConfig | None:
    config = center.agent_config(agent)
    device = config.device if config is not None else None
    return device if device is not None and device.kind is DeviceKind.BROWSER else None
