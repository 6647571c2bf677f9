"""An agent calls a number: the agent's own device rings first, then the number, then the two are connected.

The number's leg is the call's customer leg: once connected, the call is like any other and may be held, transferred
or put in a queue. Until then everything that goes wrong ends the call, and the agent is where they were before.
"""

from __future__ import annotations

from typing import Any

from apps.core import commands as c
from apps.core import facts as f
from apps.core import texts
from apps.core.agents import kept_open, reach, states
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.callbacks import attempts
from apps.core.calls import closing, lines, talk, telephones
from apps.core.calls.model import Call, Dial, Leg, LegState
from apps.core.center import Center
from apps.core.config import DeviceConfig, DeviceKind, TrunkConfig
from apps.core.events import DialRequested, HangupCause, LegRole
from apps.core.ids import LegId
from apps.core.refusals import Refusal

DEVICE_RING_MS = 20_000
"""The agent has just asked for it: a device that does not answer in this time has nobody at it."""
GRACE_MS = 5_000
"""The switch ends the ringing itself; our own deadline is the backstop."""

OUTCOMES: dict[HangupCause, f.DialOutcome] = {
    HangupCause.BUSY: f.DialOutcome.BUSY,
    HangupCause.NO_ANSWER: f.DialOutcome.NO_ANSWER,
    HangupCause.REJECTED: f.DialOutcome.REJECTED,
    HangupCause.UNALLOCATED: f.DialOutcome.UNALLOCATED,
    HangupCause.UNREACHABLE: f.DialOutcome.UNREACHABLE,
    HangupCause.NOT_REGISTERED: f.DialOutcome.UNREACHABLE,
    HangupCause.CONGESTION: f.DialOutcome.CONGESTION,
    HangupCause.CANCELLED: f.DialOutcome.CANCELLED,
}


def ask(center: Center, agent: Agent, event: DialRequested) -> Refusal | None:
    """Begin, or say why not."""
    config = center.agent_config(agent.id)
    device = config.device if config is not None else None
    if device is None:
        return Refusal("no_device", "no telephone is assigned to you; ask your administrator")
    if agent.state not in (AgentState.READY, AgentState.PAUSED):
        return Refusal("wrong_state", f"not possible while {agent.state}")
    if agent.on_phone:
        return Refusal("wrong_state", "your telephone is in a talk already")
    if not center.link_up(device.switch):
        return Refusal("unsupported", "the switch is out of reach")
    if reach.is_away(center.state, device):
        return Refusal("not_registered", "your telephone is not registered")
    if reach.lacks_media(agent, device):
        return Refusal("media_not_ready", "no page of yours has a live microphone")
    trunk, refusal = lines.way_out(center, agent.tenant, device.switch, event.number)
    if trunk is None:
        return refusal
    shown = event.caller_number or next(iter(lines.caller_numbers(center.state.config, trunk)), "")
    if event.caller_number and shown not in lines.caller_numbers(center.state.config, trunk):
        return Refusal("bad_caller_id", "not a number of yours")
    _start(center, agent, device, trunk, shown, event)
    return None


def _start(
    center: Center, agent: Agent, device: DeviceConfig, trunk: TrunkConfig, shown: str, event: DialRequested
) -> None:
    call_id, leg = center.mint.call(), center.mint.leg()
    common: dict[str, Any] = {"at_ms": center.now_ms, "tenant": agent.tenant, "call": call_id}
    center.emit(
        f.CallStarted(
            **common,
            leg=center.mint.leg(),
            switch=device.switch,
            direction=f.Direction.OUTBOUND,
            did=shown,
            caller_number=event.number,
            caller_name="",
            trunk=trunk.gateway,
            customer=event.customer[: texts.LONGEST_KEY],
            attached=texts.attached(event.attached),
        )
    )
    center.emit(
        f.DialStarted(
            **common,
            agent=agent.id,
            leg=leg,
            number=event.number,
            caller_number=shown,
            trunk=trunk.id,
            prior=agent.state,
            prior_reason=agent.reason,
            deadline_ms=center.now_ms + DEVICE_RING_MS + GRACE_MS,
            cmd_id=event.cmd_id,
        )
    )
    kept = kept_open.standing_by(center, agent.id)
    if kept is not None:
        kept_open.lend(center, center.state.calls[call_id], agent.id, kept, leg, None)
    else:
        _start_device_leg(center, agent, device, leg, common)
    prior, reason = agent.state, agent.reason
    states.move(center, agent.id, AgentState.DIALING, call=call_id)
    if prior is AgentState.PAUSED:
        center.emit(
            f.AgentNextStateSet(
                at_ms=center.now_ms, tenant=agent.tenant, agent=agent.id, next_state=prior, next_reason=reason
            )
        )
    call = center.state.calls[call_id]
    if kept is not None:
        parked(center, call, call.legs[leg])
    else:
        center.send(_ring_device(center, call, device))


def _start_device_leg(center: Center, agent: Agent, device: DeviceConfig, leg: LegId, common: dict[str, Any]) -> None:
    seat = device.trunk if device.kind is DeviceKind.PSTN else None
    center.emit(
        f.LegStarted(
            **common,
            leg=leg,
            switch=device.switch,
            role=LegRole.AGENT,
            address=device.address,
            agent=agent.id,
            trunk=seat,
        )
    )


def _ring_device(center: Center, call: Call, device: DeviceConfig) -> c.OriginateLeg:
    """The agent hears the other side ring on this leg, so it may stand idle for as long as that rings."""
    assert call.dial is not None and call.tenant is not None
    pstn = device.kind is DeviceKind.PSTN
    policy = lines.policy_of(center, call.tenant)
    destination, _trunk = telephones.destination_of(center, device)
    return c.OriginateLeg(
        switch=device.switch,
        leg=call.dial.leg,
        call=call.id,
        tenant=call.tenant,
        role=LegRole.AGENT,
        destination=destination,
        ring_timeout_ms=DEVICE_RING_MS,
        caller_number=call.dial.caller_number if pstn else call.dial.number,
        caller_name=call.dial.number,
        agent=call.dial.agent,
        auto_answer=not pstn,
        idle_timeout_ms=policy.ring_timeout_ms + 2 * GRACE_MS,
    )


# --- what the switch reports ---------------------------------------------------------------------------------------


def parked(center: Center, call: Call, leg: Leg) -> None:
    """One of the two is answered and idle. First the agent's: then the number is called; then the number's."""
    dial = call.dial
    if dial is None:
        return
    if leg.id == dial.leg and call.leg not in call.legs:
        call_number(center, call, dial)
    elif leg.id == call.leg:
        attempts.joined(center, call)
        if not call.answered:
            center.emit(f.CallAnswered(at_ms=center.now_ms, tenant=call.tenant, call=call.id))
        connect(center, call)


def connect(center: Center, call: Call) -> None:
    """Both are there. Without the agent there is nobody for whom to keep the other side."""
    agent_leg = call.legs.get(call.dial.leg) if call.dial is not None else None
    if agent_leg is not None and agent_leg.state is LegState.IDLE:
        talk.request_bridge(center, call, agent_leg.id)
    else:
        fail(center, call, f.DialOutcome.FAILED, HangupCause.ERROR)


def call_number(center: Center, call: Call, dial: Dial) -> None:
    trunk = center.state.config.trunks.get(dial.trunk)
    if trunk is None or call.tenant is None:
        fail(center, call, f.DialOutcome.FAILED, HangupCause.INVALID)
        return
    ring_ms = lines.policy_of(center, call.tenant).ring_timeout_ms
    center.emit(
        f.LegStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=call.leg,
            switch=call.switch,
            role=LegRole.CUSTOMER,
            address=dial.number,
            trunk=trunk.id,
            deadline_ms=center.now_ms + ring_ms + GRACE_MS,
        )
    )
    center.send(c.StartMusic(switch=call.switch, leg=dial.leg, music=c.RINGING_TONE))
    center.send(ring_number(center, call, trunk, dial.number, dial.caller_number))


def ring_number(center: Center, call: Call, trunk: TrunkConfig, number: str, shown: str) -> c.OriginateLeg:
    """The customer's leg, by the id that the call has for it."""
    assert call.tenant is not None
    return c.OriginateLeg(
        switch=call.switch,
        leg=call.leg,
        call=call.id,
        tenant=call.tenant,
        role=LegRole.CUSTOMER,
        destination=c.Destination(kind=c.DestinationKind.TRUNK, address=number, trunk=trunk.id, gateway=trunk.gateway),
        ring_timeout_ms=lines.policy_of(center, call.tenant).ring_timeout_ms,
        caller_number=shown,
    )


def leg_ended(center: Center, call: Call, leg: LegId, cause: HangupCause, raw: str) -> None:
    """The agent's device or the number is gone before the two were connected."""
    if leg == call.leg:
        fail(center, call, OUTCOMES.get(cause, f.DialOutcome.FAILED), cause, raw)
    elif call.dial is not None and leg == call.dial.leg:
        # Who hangs up while the other side rings has thought better of it.
        hung_up = call.leg in call.legs and cause is HangupCause.NORMAL
        fail(center, call, f.DialOutcome.CANCELLED if hung_up else f.DialOutcome.DEVICE, cause, raw)


def cancel(center: Center, call: Call) -> None:
    fail(center, call, f.DialOutcome.CANCELLED, HangupCause.CANCELLED)


def overdue(center: Center, call: Call) -> None:
    """Neither an answer nor a failure came in time."""
    ringing = call.leg in call.legs
    fail(center, call, f.DialOutcome.NO_ANSWER if ringing else f.DialOutcome.DEVICE, HangupCause.NO_ANSWER)


def fail(center: Center, call: Call, outcome: f.DialOutcome, cause: HangupCause, raw: str = "") -> None:
    """Not connected: the agent is where they were before, the call is over."""
    states.dial_ended(center, call, outcome, cause, raw)
    if call.callback is not None:
        attempts.not_reached(center, call, outcome, cause, raw)
        return
    cancelled = outcome is f.DialOutcome.CANCELLED
    closing.drop(center, call, f.CallOutcome.CANCELLED if cancelled else f.CallOutcome.NOT_REACHED, cause)
