"""It is the turn of who waits for a call back: the customer is called, after the agent has answered or before.

Agent first: the agent is offered the call back like a caller, and hears the customer's telephone ring. Customer first:
the agent whose turn it is is kept free while the customer's telephone rings, and is offered who answers.
"""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import states
from apps.core.agents.machine import AgentState
from apps.core.callbacks import booking, readiness
from apps.core.callbacks.model import CallbackState
from apps.core.calls import dialing, lines, talk
from apps.core.calls.model import Call, CallState, Leg
from apps.core.center import Center
from apps.core.config import CallbackOffer, TrunkConfig
from apps.core.events import HangupCause, LegRole
from apps.core.ids import AgentId, LegId
from apps.core.queues import announcements
from apps.core.texts import LONGEST_RAW

AGAIN_MS = 60_000
"""What failed on our side (no line free, the agent's telephone, the agent) is tried again after this, uncounted."""
_CUSTOMERS = frozenset({f.DialOutcome.BUSY, f.DialOutcome.NO_ANSWER, f.DialOutcome.REJECTED})
_HOPELESS = frozenset({f.DialOutcome.UNALLOCATED})


def customer_first(call: Call) -> bool:
    return readiness.off_line(call) and call.callback is not None and not call.callback.agent_first


def call_customer(center: Center, call: Call, agent: AgentId) -> None:
    """Before the agent, who stays free for the customer."""
    center.dirty_agents[agent] = None
    trunk = _way_out(center, call)
    if trunk is None or call.callback is None or call.tenant is None:
        return
    leg, number = center.mint.leg(), call.callback.number
    ring_ms = lines.policy_of(center, call.tenant).ring_timeout_ms
    _emit_dialed(center, call, leg, agent)
    center.emit(
        f.LegStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=leg,
            switch=call.switch,
            role=LegRole.CUSTOMER,
            address=number,
            trunk=trunk.id,
            deadline_ms=center.now_ms + ring_ms + dialing.GRACE_MS,
        )
    )
    center.send(dialing.ring_number(center, call, trunk, number, _shown(center, call, trunk)))


def connect(center: Center, call: Call, leg: LegId) -> None:
    """The agent has answered: on to the caller, or the customer is called first."""
    if readiness.off_line(call):
        _call_for_agent(center, call, call.legs[leg])
    else:
        talk.request_bridge(center, call, leg)


def _call_for_agent(center: Center, call: Call, agent_leg: Leg) -> None:
    trunk, agent = _way_out(center, call, agent_leg), agent_leg.agent
    if trunk is None or agent is None or call.callback is None:
        return
    _emit_dialed(center, call, center.mint.leg(), agent)
    center.emit(
        f.DialStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=agent,
            leg=agent_leg.id,
            number=call.callback.number,
            caller_number=_shown(center, call, trunk),
            trunk=trunk.id,
            prior=AgentState.READY,
            prior_reason="",
            deadline_ms=center.now_ms + dialing.GRACE_MS,
            cmd_id="",
        )
    )
    states.move(center, agent, AgentState.DIALING, call=call.id)
    if call.dial is not None:
        dialing.call_number(center, call, call.dial)


def _way_out(center: Center, call: Call, agent_leg: Leg | None = None) -> TrunkConfig | None:
    """None: there is none now, and the call back has been put off."""
    number = call.callback.number if call.callback is not None else ""
    trunk, refusal = lines.way_out(center, call.tenant, call.switch, number)
    if trunk is None and refusal is not None:
        if agent_leg is not None:
            center.send(c.HangUpLeg(switch=agent_leg.switch, leg=agent_leg.id))
            states.free(center, agent_leg.agent, call)
        not_reached(center, call, f.DialOutcome.CONGESTION, HangupCause.CONGESTION, refusal.code)
    return trunk


def _emit_dialed(center: Center, call: Call, leg: LegId, agent: AgentId) -> None:
    if call.callback is not None:
        center.emit(
            f.CallbackDialed(
                at_ms=center.now_ms, tenant=call.tenant, call=call.id, callback=call.callback.id, leg=leg, agent=agent
            )
        )


def _shown(center: Center, call: Call, trunk: TrunkConfig) -> str:
    """The number that the customer called, where it is one of ours on this trunk; else the trunk's own."""
    ours = lines.caller_numbers(center.state.config, trunk)
    return call.did if call.did in ours else next(iter(ours), "")


# --- what the switch reports -----------------------------------------------------------------------------------------


def rings(call: Call, leg: LegId) -> bool:
    """The customer's telephone, called before the agent's."""
    calling = call.callback is not None and call.callback.state is CallbackState.CALLING
    return calling and call.dial is None and call.state is CallState.DIALING and leg == call.leg


def joined(center: Center, call: Call) -> None:
    """The customer has answered."""
    callback, wait = call.callback, call.wait
    queue = center.queue_config(wait.queue) if wait is not None else None
    if callback is None or callback.state is not CallbackState.CALLING or queue is None or wait is None:
        return
    # Who was kept free for the customer is not passed over now.
    kept = wait.sticky_agent if callback.agent == wait.sticky_agent else None
    if not call.answered:
        center.emit(f.CallAnswered(at_ms=center.now_ms, tenant=call.tenant, call=call.id))
    center.emit(
        f.CallbackJoined(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            callback=callback.id,
            deadline_ms=center.now_ms + queue.max_wait_ms,
            sticky_until_ms=booking.sticky_until_ms(center, queue.id, kept, center.now_ms),
        )
    )


def greeted(center: Center, call: Call) -> None:
    """Called before the agent: in line again, held like any caller, and told why the telephone rang."""
    joined(center, call)
    center.send(c.ReclaimLeg(switch=call.switch, leg=call.leg))


def returned(center: Center, call: Call) -> bool:
    """The customer leg came to us while waiting. False: nothing special about it."""
    if call.callback is None:
        return False
    if call.callback.state is CallbackState.LEAVING:
        booking.let_go(center, call)
        return True
    sounds = announcements.phrase(center, call.lang, "callback.greeting")
    if call.wait is None or call.offer is not None or not sounds:
        return False
    announcements.say(center, call, [("callback", sounds)])
    return True


def leg_gone(center: Center, call: Call, cause: HangupCause, raw: str) -> bool:
    """The customer's leg ended. True: the call lives on without it, or has been ended."""
    callback = call.callback
    if callback is None or callback.state is CallbackState.ON_LINE:
        return False
    if callback.state is CallbackState.CALLING:
        not_reached(center, call, dialing.OUTCOMES.get(cause, f.DialOutcome.FAILED), cause, raw)
    return True


def overdue(center: Center, call: Call) -> None:
    """The caller is not gone, or neither an answer nor a failure of the customer's telephone came in time."""
    callback = call.callback
    if callback is not None and callback.state is CallbackState.LEAVING:
        booking.not_gone(center, call)
    elif callback is not None and callback.state is CallbackState.CALLING:
        not_reached(center, call, f.DialOutcome.NO_ANSWER, HangupCause.NO_ANSWER)


def not_reached(center: Center, call: Call, outcome: f.DialOutcome, cause: HangupCause, raw: str = "") -> None:
    """Back into the old place, for the next try; given up after the last, or when there is no such number."""
    callback, wait = call.callback, call.wait
    if callback is None or wait is None:
        return
    offer = booking.offer_of(center.queue_config(wait.queue)) or CallbackOffer()
    counted = outcome in _CUSTOMERS
    next_ms = center.now_ms + (offer.retry_ms if counted else AGAIN_MS)
    center.emit(
        f.CallbackTried(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            callback=callback.id,
            outcome=outcome,
            cause=cause,
            counted=counted,
            next_ms=next_ms,
            raw=raw[:LONGEST_RAW],
            sticky_until_ms=booking.sticky_until_ms(center, wait.queue, wait.sticky_agent, next_ms),
        )
    )
    for leg in call.legs.values():
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id, cause=HangupCause.CANCELLED))
    if outcome in _HOPELESS or callback.tried >= offer.attempts:
        booking.end(center, call, f.CallbackOutcome.NOT_REACHED, cause)
    elif next_ms >= callback.until_ms:
        booking.end(center, call, f.CallbackOutcome.EXPIRED, cause)
