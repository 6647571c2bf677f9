"""The line of an agent that stays up between calls: dialled once, and lent to one call after another.

To a call it is a leg that is answered from the start and ends when the call has no more use of it: hanging it up from
within a call (``Center.send``) gives it back. A short beep tells the agent that somebody comes.

It is dialled when its agent is READY and could be rung. One that is not answered or ends makes the agent PAUSED with
the reason why; READY dials it again. Who signs out is let go.
"""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import reach, states
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent, KeptLeg
from apps.core.calls import telephones
from apps.core.calls.model import Call, Leg
from apps.core.center import Center
from apps.core.config import AgentConfig, DeviceConfig, DeviceKind
from apps.core.events import HangupCause, LegRole
from apps.core.ids import AgentId, CallId, LegId, QueueId
from apps.core.texts import LONGEST_RAW

RING_MS = 30_000
GRACE_MS = 2_000
DOUBT_MS = 2_000
"""So long the switch may take to say whether a line is still there."""
LOST = "line_lost"
NOT_ANSWERED = "line_not_answered"
FAILED = "line_failed"
"""Why an agent is PAUSED whose line does not stand."""

_NOT_ANSWERED = frozenset({HangupCause.NO_ANSWER, HangupCause.BUSY, HangupCause.REJECTED, HangupCause.NORMAL})


def look(center: Center) -> None:
    """After each event: whose line is to be dialled, whose is to go?"""
    for agent_id in list(center.dirty_agents):
        agent, config = center.agent(agent_id), center.agent_config(agent_id)
        if agent is None:
            continue
        device = config.device if config is not None else None
        if agent.kept is None:
            ready = agent.state is AgentState.READY and reach.why_blocked(center.state, agent, config) == "line"
            if ready and config is not None and device is not None:
                _dial(center, agent, config, device)
        elif agent.kept.lent_as is None and not _still_wanted(center, agent, agent.kept, device):
            let_go(center, agent, HangupCause.NORMAL)


def _still_wanted(center: Center, agent: Agent, kept: KeptLeg, device: DeviceConfig | None) -> bool:
    if device is None or not device.kept_open or states.logical(agent) is AgentState.LOGGED_OUT:
        return False
    if (device.switch, device.address, device.trunk) != (kept.switch, kept.address, kept.trunk):
        return False
    # The page took its telephone with it, and the switch need not have noticed.
    return not reach.lacks_media(agent, device)


def _dial(center: Center, agent: Agent, config: AgentConfig, device: DeviceConfig) -> None:
    leg = center.mint.leg()
    center.emit(
        f.KeptLegDialed(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            leg=leg,
            switch=device.switch,
            address=device.address,
            trunk=device.trunk,
            deadline_ms=center.now_ms + RING_MS + GRACE_MS,
        )
    )
    destination, trunk = telephones.destination_of(center, device)
    center.send(
        c.OriginateLeg(
            switch=device.switch,
            leg=leg,
            call=CallId(leg),  # of no call
            tenant=agent.tenant,
            role=LegRole.AGENT,
            destination=destination,
            ring_timeout_ms=RING_MS,
            caller_number=trunk.caller_number if trunk is not None else "",
            agent=agent.id,
            auto_answer=device.kind is not DeviceKind.PSTN,
            kept_open=True,
        )
    )


# --- what the switch reports ---------------------------------------------------------------------------------------


def parked(center: Center, leg: LegId) -> bool:
    """A kept leg that no call has stands by. True: it was one."""
    agent_id = center.state.kept_legs.get(leg)
    agent = center.agent(agent_id) if agent_id is not None else None
    if agent is None or agent.kept is None:
        return False
    if agent.kept.deadline_ms is not None:
        center.emit(f.KeptLegOpened(at_ms=center.now_ms, tenant=agent.tenant, agent=agent.id, leg=leg))
        center.clear_alarm("device_invalid", agent.id)
        center.clear_alarm("offers_refused", agent.kept.switch)
    return True


def ended(center: Center, leg: LegId, cause: HangupCause, raw: str) -> None:
    """A kept leg is gone, whether a call had it or not. Who could go on taking calls is told why there are none."""
    agent_id = center.state.kept_legs.get(leg)
    agent = center.agent(agent_id) if agent_id is not None else None
    if agent is None or agent.kept is None:
        return
    was_open = agent.kept.deadline_ms is None
    _close(center, agent, agent.kept, cause, raw)
    if cause is HangupCause.LOST:
        return  # the switch lost it, not the agent: it is dialled again
    if states.logical(agent) is AgentState.READY:
        states.move(center, agent.id, AgentState.PAUSED, reason=why(was_open, cause), keep_next=False)


def why(was_open: bool, cause: HangupCause) -> str:
    if was_open:
        return LOST
    return NOT_ANSWERED if cause in _NOT_ANSWERED else FAILED


def overdue(center: Center, agent: Agent) -> None:
    """The switch said nothing of a line that it was to dial."""
    kept = agent.kept
    if kept is not None and kept.deadline_ms is not None and kept.deadline_ms <= center.now_ms:
        center.send(c.HangUpLeg(switch=kept.switch, leg=kept.leg, cause=HangupCause.CANCELLED))
        ended(center, kept.leg, HangupCause.UNREACHABLE, "")


def doubted(center: Center, leg: Leg) -> None:
    """A call could not be connected on it: is it still there? Nobody else is sent to it before that is known."""
    agent = center.agent(leg.agent) if leg.agent is not None else None
    if agent is None or leg.lent is None:
        return
    center.emit(
        f.OffersSuspended(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            until_ms=center.now_ms + DOUBT_MS,
            cause=HangupCause.ERROR,
            raw="",
        )
    )
    center.send(c.RequestSnapshot(switch=leg.switch, leg=LegId("")))


def let_go(center: Center, agent: Agent, cause: HangupCause) -> None:
    """Nobody wants it any more, or it is dead though the switch does not know. A call that has it sees it end."""
    kept = agent.kept
    if kept is not None:
        _close(center, agent, kept, cause, "")
        center.send(c.HangUpLeg(switch=kept.switch, leg=kept.leg))


def _close(center: Center, agent: Agent, kept: KeptLeg, cause: HangupCause, raw: str) -> None:
    center.emit(
        f.KeptLegClosed(
            at_ms=center.now_ms, tenant=agent.tenant, agent=agent.id, leg=kept.leg, cause=cause, raw=raw[:LONGEST_RAW]
        )
    )


# --- lent to a call ------------------------------------------------------------------------------------------------


def standing_by(center: Center, agent_id: AgentId) -> KeptLeg | None:
    """This agent's line, when it is open and no call has it."""
    agent = center.agent(agent_id)
    kept = agent.kept if agent is not None else None
    return kept if kept is not None and kept.deadline_ms is None and kept.lent_as is None else None


def lend(center: Center, call: Call, agent_id: AgentId, kept: KeptLeg, name: LegId, queue: QueueId | None) -> Leg:
    """The call has it from now on, as ``name``."""
    center.emit(
        f.LegStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=name,
            switch=kept.switch,
            role=LegRole.AGENT,
            address=kept.address,
            agent=agent_id,
            queue=queue,
            trunk=kept.trunk,
            lent=kept.leg,
        )
    )
    return call.legs[name]
