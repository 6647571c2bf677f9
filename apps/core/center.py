"""The centre at work: the state, the indexes derived from it, and the effects of the event in hand.

Rules live beside what they are about (calls/, queues/, agents/, ivr/) and take a ``Center``. They change the state
only by ``emit`` and speak to a switch only by ``send``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from apps.core.agents.kept_names import as_on_switch
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.agents.pauses import over_at_ms
from apps.core.agents.reach import why_blocked
from apps.core.callbacks.readiness import due_ms as callback_due_ms
from apps.core.callbacks.readiness import off_line
from apps.core.calls.model import Call, CallState, Offer, Wait
from apps.core.commands import Command, HangUpLeg, ParkLeg
from apps.core.config import AgentConfig, CenterConfig, QueueConfig
from apps.core.deadlines import Deadlines
from apps.core.events import Event
from apps.core.facts import AgentFact, AlarmCleared, AlarmRaised, Anomaly, CallFact, DeviceStateChanged, Fact
from apps.core.ids import AgentId, CallId, IdMint, LegId, QueueId, SwitchId, TenantId
from apps.core.queues import asking, ordering
from apps.core.queues.announcement_times import due_ms as announcement_due_ms
from apps.core.queues.estimates import expected_ms
from apps.core.queues.matching import Matcher
from apps.core.queues.places import Places
from apps.core.queues.staffing import Presence, Staffing, presence
from apps.core.queues.strategies import standing_of
from apps.core.state import State

Effect = Command | Fact
Key = TypeVar("Key", bound=str)

BRIDGE_GRACE_MS = 5_000
"""An answered agent leg may take this long from answer to bridge before the offer counts as failed."""

SNAPSHOT_GRACE_MS = 1_500
"""So long after a link came up its snapshot, or the second one, has told what happened while it was down."""

SWITCH_LOST_MS = 600_000
"""A link away for so long will not tell any more how its calls ended: their agents are let go."""


class Center:
    def __init__(self, state: State) -> None:
        self.state = state
        self.now_ms = state.now_ms
        self.mint = IdMint(state.run or "0")
        self.effects: list[Effect] = []
        self.deadlines = Deadlines()
        self.matcher = Matcher(state.config.agents, state.config.queues)
        self.places: dict[QueueId, Places] = {}
        self.staffing = Staffing()
        self._stands_in: dict[CallId, QueueId] = {}
        self._kept_for: dict[CallId, AgentId] = {}
        self._kept_free: dict[AgentId, CallId] = {}  # the same, by agent
        self.given_back: list[LegId] = []  # kept legs that their calls have just hung up
        self.typed: dict[CallId, str] = {}  # in a menu, and has decided nothing yet: kept here alone (ivr/runs.py)
        self.dirty_calls: dict[CallId, None] = {}
        self.dirty_agents: dict[AgentId, None] = {}
        self._agent_at: dict[tuple[SwitchId, str], AgentId] = {}  # by device
        self.read_ms: dict[SwitchId, int] = {}  # when a switch's last full reading came
        self.reindex()

    # --- effects ---

    def emit(self, fact: Fact) -> None:
        """Decide a fact: it is applied at once and becomes an effect."""
        self.state.apply(fact)
        self.effects.append(fact)
        if isinstance(fact, CallFact):
            self.dirty_calls[fact.call] = None
        elif isinstance(fact, AgentFact):
            self.dirty_agents[fact.agent] = None
        elif isinstance(fact, DeviceStateChanged) and (agent := self._agent_at.get((fact.switch, fact.address))):
            self.dirty_agents[agent] = None

    def send(self, command: Command) -> None:
        """To the switch. A call that hangs up a kept leg has no more use of it: it goes back, and stays up."""
        if self.state.lent_legs:
            if isinstance(command, HangUpLeg) and self.state.lent_legs.get(command.leg) in self.state.kept_legs:
                self.given_back.append(command.leg)
                command = ParkLeg(switch=command.switch, leg=command.leg)
            command = as_on_switch(self.state, command)
        self.effects.append(command)

    def anomaly(self, event: Event, subject: str, state: str, detail: str, call: Call | None = None) -> None:
        """Something does not fit; it is put on record and changes nothing."""
        self.emit(
            Anomaly(
                at_ms=self.now_ms,
                tenant=call.tenant if call else None,
                event=type(event).__name__,
                subject=subject,
                state=state,
                detail=detail,
                call=call.id if call else None,
            )
        )

    def alarm(self, kind: str, subject: str, detail: str, tenant: TenantId | None = None) -> None:
        if f"{kind}/{subject}" not in self.state.alarms:
            self.emit(AlarmRaised(at_ms=self.now_ms, tenant=tenant, kind=kind, subject=subject, detail=detail))

    def clear_alarm(self, kind: str, subject: str) -> None:
        if f"{kind}/{subject}" in self.state.alarms:
            self.emit(AlarmCleared(at_ms=self.now_ms, tenant=None, kind=kind, subject=subject))

    def phone_taken_or_free(self, agent: AgentId | None) -> None:
        """One that was rung as an extension is in a call now, or not any more: its agent may be free or not."""
        if agent is not None:
            self.dirty_agents[agent] = None

    # --- look-ups ---

    def call_of(self, leg: LegId) -> Call | None:
        return self.state.call_of(leg)

    def agent(self, agent: AgentId) -> Agent | None:
        return self.state.agents.get(agent)

    def agent_config(self, agent: AgentId) -> AgentConfig | None:
        return self.state.config.agents.get(agent)

    def queue_config(self, queue: QueueId | None) -> QueueConfig | None:
        return self.state.config.queues.get(queue) if queue is not None else None

    def agent_at(self, switch: SwitchId, address: str) -> AgentId | None:
        """Whose telephone this is."""
        return self._agent_at.get((switch, address))

    def link_up(self, switch: SwitchId) -> bool:
        link = self.state.switches.get(switch)
        return link is not None and link.up

    # --- indexes: derived from the state, never the other way round ---

    def reindex(self) -> None:
        """Build every index anew, after a fold. O(n log n)."""
        self.matcher = Matcher(self.state.config.agents, self.state.config.queues)
        self.staffing, self.places = Staffing(self.state.config.queues), {}
        self._stands_in, self._kept_for, self._kept_free = {}, {}, {}
        self._look_at_config()
        self.dirty_agents.update(dict.fromkeys(self.state.agents))
        for switch in self.state.switches:
            self._await_link(switch)

    def _await_link(self, switch: SwitchId) -> None:
        link = self.state.switches[switch]
        self.deadlines.set(("lost", switch), None if link.up else link.since_ms + SWITCH_LOST_MS)

    def link_changed(self, switch: SwitchId) -> None:
        """It came up or went down: that is news to who is signed in with a telephone there, and to the calls there."""
        self._await_link(switch)
        for agent_id, agent in self.state.agents.items():
            config = self.state.config.agents.get(agent_id)
            here = config is not None and config.device is not None and config.device.switch == switch
            if here and agent.state is not AgentState.LOGGED_OUT:
                self.dirty_agents[agent_id] = None
        for call in self.state.calls.values():
            # Who waits for one agent alone may do so from another switch.
            if call.switch == switch or (call.wait is not None and call.wait.wanted_agent is not None):
                self.dirty_calls[call.id] = None

    def reconfigured(self, before: CenterConfig) -> None:
        """A new configuration came: what is the same in it stays indexed as it is."""
        now = self.state.config
        queues = _differing(before.queues, now.queues)
        agents = _differing(before.agents, now.agents)
        tenants = _differing(before.tenants, now.tenants)
        self.dirty_agents.update(dict.fromkeys(self.matcher.queues_changed(now.queues, queues)))
        self.staffing.look_again(queues)
        self.matcher.agents_changed(now.agents, agents)
        self.dirty_agents.update(dict.fromkeys(agents))
        if tenants:  # their limits of pauses
            theirs = (agent.id for agent in self.state.agents.values() if agent.tenant in tenants)
            self.dirty_agents.update(dict.fromkeys(theirs))
        self._look_at_config()

    def _look_at_config(self) -> None:
        if any(queue.life.calendar for queue in self.state.config.queues.values()):
            self.deadlines.set(("hours", ""), self.now_ms)  # what is open may have changed meanwhile
        agents = self.state.config.agents.values()
        self._agent_at = {(one.device.switch, one.device.address): one.id for one in agents if one.device is not None}
        self.dirty_calls.update(dict.fromkeys(self.state.calls))

    def index_call(self, call_id: CallId) -> bool:
        """Bring the indexes up to one call. True when it now waits for an agent."""
        call = self.state.calls.get(call_id)
        if call is None or call.ivr is None or call.ivr.position is None:
            self.typed.pop(call_id, None)
        due = self.deadlines_of(call).values() if call is not None else ()
        self.deadlines.set(("call", call_id), min(due, default=None))
        callback = call.callback if call is not None else None
        self._keep_free(call_id, callback.agent if callback is not None and call and call.dial is None else None)
        stands = call is not None and asking.stands_in_line(self, call)
        self._stand(call_id, call if stands else None)
        asked = asking.requirement_of(self, call) if call is not None and stands else None
        if call is None or call.wait is None or asked is None:
            self.matcher.depends_on(call_id, None)
            self.matcher.caller_leaves(call_id)
            return False
        self.matcher.depends_on(call_id, call.wait.sticky_agent if self.now_ms < call.wait.sticky_until_ms else None)
        self.matcher.caller_waits(call_id, asked, self._place(call.wait))
        return True

    def _place(self, wait: Wait) -> int:
        return ordering.place(self.state.config.queues[wait.queue], wait.priority, wait.queued_ms)

    def _stand(self, call_id: CallId, call: Call | None) -> None:
        """``call`` is None when it does not stand in line, or there is none any more."""
        queue = call.wait.queue if call is not None and call.wait is not None and not call.offers else None
        before = self._stands_in.pop(call_id, None)
        if before is not None and before != queue:
            self.places[before].leave(call_id)
        if call is not None and call.wait is not None and queue is not None:
            self._stands_in[call_id] = queue
            places = self.places.setdefault(queue, Places())
            places.put(call_id, self._place(call.wait), on_line=not off_line(call))

    def _keep_free(self, call_id: CallId, agent: AgentId | None) -> None:
        """For a customer whose telephone rings before the agent's."""
        before = self._kept_for.pop(call_id, None)
        if before is not None and self._kept_free.get(before) == call_id:
            del self._kept_free[before]
        if before is not None and before != agent:
            self.dirty_agents[before] = None
        if agent is not None:
            self._kept_for[call_id], self._kept_free[agent] = agent, call_id
            self.dirty_agents[agent] = None

    # --- places in line ---

    def ahead_of(self, call: Call) -> int | None:
        """How many wait before this one; None for who is not in line."""
        queue = self._stands_in.get(call.id)
        return self.places[queue].ahead(call.id) if queue is not None else None

    def ahead_of_new(self, queue: QueueId, priority: int, queued_ms: int) -> int:
        places, config = self.places.get(queue), self.state.config.queues[queue]
        return places.ahead_of(ordering.place(config, priority, queued_ms)) if places is not None else 0

    def on_line(self, queue: QueueId) -> int:
        """How many wait on the telephone."""
        places = self.places.get(queue)
        return places.on_line() if places is not None else 0

    def expected_ms(self, queue: QueueId, ahead: int) -> int | None:
        staff = self.staffing
        return expected_ms(ahead, staff.free(queue), staff.serving(queue), self.state.queues.get(queue))

    def stir(self, queue: QueueId) -> None:
        """What waits here may be matched differently from now on."""
        waits = (call.id for call in self.state.calls.values() if call.wait is not None and call.wait.queue == queue)
        self.dirty_calls.update(dict.fromkeys(waits))

    def deadlines_of(self, call: Call) -> dict[str, int]:
        """What is due for a call and when: of its state, of its place in line, of an offer, of its menu.

        While the link is down no command would arrive, and what the switch should have told may well have happened:
        every deadline waits for the link, and then for the snapshot, or a bridge made while the engine was dead would
        be torn.
        """
        link = self.state.switches.get(call.switch)
        if link is None or not link.up:
            return {}
        due: dict[str, int] = {}
        # An agent who has already answered still gets the call.
        if call.wait is not None and call.in_line and not asking.is_answered(call):
            due["wait"] = call.wait.deadline_ms
            if (next_ms := asking.next_ms(self, call)) is not None:
                due["relax"] = next_ms
            if call.wait.play is not None:
                due["announced"] = call.wait.play_until_ms
            elif call.consult is None and (announce_ms := announcement_due_ms(self.state, call)) is not None:
                due["announce"] = announce_ms
        if call.consult is not None and call.consult.ring_until_ms is not None:
            due["ring"] = call.consult.ring_until_ms
        position = call.ivr.position if call.ivr is not None and call.state is CallState.IVR else None
        if position is not None and position.deadline_ms is not None:
            due["ivr"] = position.deadline_ms
        if call.deadline_ms is not None:
            due["state"] = call.deadline_ms
        if (callback_ms := callback_due_ms(call, self.now_ms)) is not None:
            due["callback"] = callback_ms
        if call.dialog is not None and call.state in (CallState.WAITING, CallState.IVR):
            due["dialog"] = call.dialog.deadline_ms
        for offer in call.offers.values():
            for kind, at_ms in offer_deadlines(call, offer).items():
                due[kind] = min(at_ms, due.get(kind, at_ms))
        if call.recording is not None and call.recording.mask_until_ms is not None:
            due["mask"] = call.recording.mask_until_ms
        earliest_ms = link.since_ms + SNAPSHOT_GRACE_MS
        return {kind: max(at_ms, earliest_ms) for kind, at_ms in due.items()}

    def index_agent(self, agent_id: AgentId) -> bool:
        """Bring the indexes up to one agent. True when free to be offered a call."""
        agent = self.state.agents.get(agent_id)
        dues: tuple[int | None, ...] = ()
        if agent is not None:
            over_ms = over_at_ms(self.state, agent)
            line_ms = agent.kept.deadline_ms if agent.kept is not None else None
            dues = (agent.deadline_ms, agent.back_deadline_ms, agent.suspended_until_ms, over_ms, line_ms)
        self.deadlines.set(("agent", agent_id), min((due for due in dues if due is not None), default=None))
        config = self.state.config.agents.get(agent_id)
        if agent is None or config is None:
            self.staffing.place(agent_id, (), Presence.AWAY)
            self.matcher.agent_is(agent_id, signed_in=False, at_work=False, free=None)
            return False
        free = agent.state is AgentState.READY and not why_blocked(self.state, agent, config)
        free = free and agent_id not in self._kept_free
        present = presence(agent.state, free)
        self.staffing.place(agent_id, config.queues, present)
        self.matcher.agent_is(
            agent_id,
            signed_in=present >= Presence.SIGNED_IN,
            # Who only lost the console may be back in a moment: no tier joins in because a page is loaded again.
            at_work=presence(AgentState(agent.back_state or agent.state), free) >= Presence.SERVING,
            free=standing_of(agent) if free else None,
        )
        return free


def _differing(before: Mapping[Key, object], now: Mapping[Key, object]) -> list[Key]:
    """What is there in one alone, or otherwise."""
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]


def offer_deadlines(call: Call, offer: Offer) -> dict[str, int]:
    """What is due for one offer and when."""
    if offer.whisper is not None:
        return {"whisper": offer.whisper_until_ms}
    answered = asking.has_answered(call, offer)
    due = {"offer": offer.deadline_ms + (BRIDGE_GRACE_MS if answered else 0)}
    if offer.ack_deadline_ms is not None and not answered:
        due["ack"] = offer.ack_deadline_ms
    return due
