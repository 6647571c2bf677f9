"""Two legs become one talk, and stop being one: bridge, hold, recording, the agent's wrap-up after it."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import kept_open, states
from apps.core.agents.machine import AgentState
from apps.core.calls import recording
from apps.core.calls.model import Call, CallState, Leg, Rejoin
from apps.core.center import Center
from apps.core.events import HangupCause
from apps.core.ids import AgentId, LegId
from apps.core.queues import offers

BRIDGE_TIMEOUT_MS = 1_000
"""``+OK`` is no bridge: without the event in this time we look, in twice this time the customer is taken back."""
IDLE_TIMEOUT_MS = 15_000
"""An answered telephone that nobody bridges ends by itself after so long."""
RETURN_TIMEOUT_MS = 3_000
"""After a talk the customer leg comes back within about 10 ms, or is fetched."""


def request_bridge(center: Center, call: Call, leg: LegId, *, goes_on: bool = False) -> None:
    """``goes_on``: out of a three-way, with its recording."""
    center.emit(
        f.BridgeRequested(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=leg,
            other=call.leg,
            deadline_ms=center.now_ms + BRIDGE_TIMEOUT_MS,
            goes_on=goes_on,
        )
    )
    center.send(c.BridgeLegs(switch=call.switch, leg=leg, other=call.leg))


def legs_bridged(center: Center, call: Call, leg: LegId, other: LegId) -> None:
    """The switch says that the two hear each other.

    Later than the bridge's deadline it does not count: the customer is being fetched and the agent may have another
    caller by now.
    """
    bridge = call.bridge
    far = call.legs.get(bridge.leg) if bridge is not None else None
    if call.state is not CallState.CONNECTING or bridge is None or far is None:
        return
    if {leg, other} == {bridge.leg, bridge.other}:
        bridged(center, call, far, goes_on=bridge.goes_on)


def bridged(center: Center, call: Call, far: Leg, *, goes_on: bool = False) -> None:
    """``goes_on``: the call was talked on already, with others or another: its recording goes on."""
    if call.wait is not None:
        offers.leave_line(center, call, f.QueueExit.ANSWERED)
    rejoin = call.rejoin
    center.emit(
        f.CallBridged(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=far.id,
            other=call.leg,
            agent=far.agent,
            queue=far.queue,
        )
    )
    if far.agent is not None and rejoin is None and not _talks(center, far.agent):
        states.to_talking(center, far.agent, call)
    if call.recording is not None and (rejoin is not None or goes_on):
        recording.go_on(center, call, far)
    else:
        recording.start(center, call, far)
    if rejoin is not None:
        _as_it_was(center, call, far, rejoin)
    elif call.bridge is not None and call.bridge.muted:  # bridged anew: the switch has forgotten it
        center.send(c.MuteLeg(switch=far.switch, leg=far.id))


def _talks(center: Center, agent_id: AgentId) -> bool:
    agent = center.agent(agent_id)
    return agent is not None and states.logical(agent) is AgentState.TALKING


def _as_it_was(center: Center, call: Call, far: Leg, rejoin: Rejoin) -> None:
    """The agent is back in a talk that was held, or muted on the switch."""
    if rejoin.held:
        center.send(c.HoldLeg(switch=far.switch, leg=far.id, music=offers.music_of(center, call)))
    if rejoin.muted:
        center.send(c.MuteLeg(switch=far.switch, leg=far.id))


def unbridged(center: Center, call: Call) -> None:
    """The talk is over. The agent wraps up, its leg is let go, the customer is on the way back to us or gone.

    The recording ends with the customer's leg, or when something follows (``after_talk``).
    """
    bridge = call.bridge
    if bridge is None or bridge.bridged_ms is None:
        return
    part(center, call)
    if bridge.agent is not None:
        states.to_wrap_up(center, bridge.agent, call, bridge.queue)


def part(center: Center, call: Call) -> None:
    """Let the far leg go; the customer comes back."""
    bridge = call.bridge
    if bridge is None or bridge.bridged_ms is None:
        return
    if bridge.held_ms is not None:
        resumed(center, call, bridge.leg, bridge.held_ms)
    far = call.legs.get(bridge.leg)
    center.emit(
        f.CallUnbridged(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=bridge.leg,
            other=bridge.other,
            talked_ms=center.now_ms - bridge.bridged_ms,
            deadline_ms=center.now_ms + RETURN_TIMEOUT_MS,
        )
    )
    if far is not None:
        center.send(c.HangUpLeg(switch=far.switch, leg=far.id))


def bridge_lost(center: Center, call: Call, reason: str) -> None:
    """The bridge did not come about: both sides are taken apart, the caller keeps the place in line."""
    bridge = call.bridge
    if bridge is None:
        return
    center.emit(
        f.BridgeLost(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=bridge.leg,
            other=bridge.other,
            reason=reason,
            deadline_ms=center.now_ms + RETURN_TIMEOUT_MS,
        )
    )
    far = call.legs.get(bridge.leg)
    if far is not None:
        kept_open.doubted(center, far)
        center.send(c.HangUpLeg(switch=far.switch, leg=far.id))
    if call.dial is not None:
        states.dial_ended(center, call, f.DialOutcome.FAILED, HangupCause.ERROR)
    else:
        states.free(center, bridge.agent, call, to_the_end=True)


def bridge_overdue(center: Center, call: Call) -> None:
    """A switch that is slow may have brought them together: it is asked, once, before a talk is torn."""
    if call.bridge is not None and not call.bridge.overdue:
        deadline_ms = center.now_ms + BRIDGE_TIMEOUT_MS
        center.emit(
            f.BridgeOverdue(
                at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=call.bridge.leg, deadline_ms=deadline_ms
            )
        )
        center.send(c.RequestSnapshot(switch=call.switch, leg=call.leg))
        return
    bridge_lost(center, call, "the switch did not bridge in time")
    reclaim(center, call)
    center.send(c.RequestSnapshot(switch=call.switch, leg=call.leg))


def return_overdue(center: Center, call: Call) -> None:
    """The customer leg should be back: fetch it, and look whether it still exists."""
    center.emit(
        f.CallAwaited(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            reason="the customer leg did not come back",
            deadline_ms=center.now_ms + RETURN_TIMEOUT_MS,
        )
    )
    reclaim(center, call)
    center.send(c.RequestSnapshot(switch=call.switch, leg=call.leg))


def reclaim(center: Center, call: Call) -> None:
    if call.leg in call.legs:
        center.send(c.ReclaimLeg(switch=call.switch, leg=call.leg))


# --- hold ----------------------------------------------------------------------------------------------------------


def leg_held(center: Center, call: Call, leg: LegId) -> None:
    bridge = call.bridge
    if call.state is not CallState.TALKING or bridge is None or bridge.held_ms is not None or leg != bridge.leg:
        return  # a caller's own telephone may hold as well: that is nothing of ours
    center.emit(f.CallHeld(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg))
    _show_hold(center, call, AgentState.HOLDING)


def leg_unheld(center: Center, call: Call, leg: LegId) -> None:
    bridge = call.bridge
    if call.state is not CallState.TALKING or bridge is None or bridge.held_ms is None or leg != bridge.leg:
        return
    resumed(center, call, leg, bridge.held_ms)
    _show_hold(center, call, AgentState.TALKING)


def resumed(center: Center, call: Call, leg: LegId, held_since_ms: int) -> None:
    center.emit(
        f.CallResumed(
            at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg, held_ms=center.now_ms - held_since_ms
        )
    )


def _show_hold(center: Center, call: Call, state: AgentState) -> None:
    if call.bridge is not None and call.bridge.agent is not None:
        states.move(center, call.bridge.agent, state, call=call.id)


# --- mute ----------------------------------------------------------------------------------------------------------


def leg_muted(center: Center, call: Call, leg: LegId, *, muted: bool) -> None:
    part_of = call.bridge or call.consult or call.three_way
    if part_of is None or leg != part_of.leg or part_of.muted is muted:
        return
    kind = f.CallMuted if muted else f.CallUnmuted
    center.emit(kind(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg))
