"""The people of the centre: agents at their pages and telephones, and supervisors. All they do takes a human time."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from apps.core import events as e
from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.ids import AgentId, CallId
from apps.core.state import State
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.phones import PhoneBook
from tests.core.scene import TENANT

NUMBERS = ("13911110001", "13911110002", "13911110003", "13911110004", "13911110005", "+12125550100")
"""Two that answer, one that is busy, one that rings for ever, one that does not exist, one that is barred."""

NOTES = ("", "wants the blue one", "等了很久")
CUSTOMERS = ("", "K-17")
ATTACHED: tuple[dict[str, str], ...] = ({}, {"ticket": "T-4711"}, {"order": "2024-8", "level": "gold"})

DELAYS_MS = {
    AgentState.LOGGED_OUT: (5_000, 60_000),
    AgentState.READY: (10_000, 120_000),
    AgentState.PAUSED: (500, 8_000),
    AgentState.NOT_RESPONDING: (2_000, 20_000),
    AgentState.WRAP_UP: (500, 15_000),
    AgentState.TALKING: (2_000, 30_000),
    AgentState.HOLDING: (1_000, 8_000),
    AgentState.CONSULTING: (1_000, 12_000),
    AgentState.CONFERENCING: (2_000, 20_000),
    AgentState.DISCONNECTED: (500, 3_000),
    AgentState.OFFERED: (20, 900),
    AgentState.DIALING: (500, 20_000),
}


class Staff:
    """``see`` shows them a fact; what they do about it goes to ``ask``. They look at ``state`` as their pages do."""

    def __init__(
        self,
        seed: int,
        clock: Scheduler,
        phones: PhoneBook,
        state: Callable[[], State],
        ask: Callable[[e.Event], None],
    ) -> None:
        self.rng = random.Random(f"{seed}/staff")
        self.clock, self.phones = clock, phones
        self._state, self._put = state, ask
        self._serial = 0
        self.going_home = False  # the day is over: nothing new is begun

    # --- asking ------------------------------------------------------------------------------------------------------

    def _request(self, request: type[e.Request], **fields: Any) -> None:
        self._serial += 1
        self._put(request(tenant=TENANT, cmd_id=f"cmd{self._serial}", actor="sim", **fields))

    def ask(self, request: type[e.AgentRequest], agent: AgentId, **fields: Any) -> None:
        self._request(request, agent=agent, **fields)

    def come(self) -> None:
        for agent in self._state().agents:
            self.ask(e.AgentSignedIn, agent)

    def look_again(self) -> None:
        """After a gap of the engine: what they had asked for may be lost, so they look at their screens."""
        for agent in list(self._state().agents):
            self._after((1_000, 5_000), self._look_at_own_page, agent)

    def _after(self, span_ms: tuple[int, int], act: Callable[..., None], *arguments: Any) -> None:
        self.clock.after(self.rng.randint(*span_ms), lambda: act(*arguments))

    # --- seeing ------------------------------------------------------------------------------------------------------

    def see(self, fact: f.Fact) -> None:
        if isinstance(fact, f.RecordingPaused) and self.rng.random() < 0.7:  # others forget it
            self._after((1_000, 8_000), self._resume_recording, fact.call)
        elif isinstance(fact, f.CallQueued) and self.rng.random() < 0.02:  # a supervisor takes it off the floor
            self._after((100, 20_000), self._remove, fact.call)
        elif isinstance(fact, f.AgentStateChanged):
            self._see_state(fact)

    def _see_state(self, fact: f.AgentStateChanged) -> None:
        state = AgentState(fact.state)
        rare = {AgentState.OFFERED: 0.97, AgentState.DIALING: 0.2}.get(state, 1.0)  # 0.97: else the page sleeps
        span_ms = DELAYS_MS.get(state)
        if span_ms is not None and self.rng.random() < rare:
            self._after(span_ms, self._act, fact)

    def _act(self, seen: f.AgentStateChanged) -> None:
        agent = self._state().agents.get(seen.agent)
        if agent is None or agent.state != seen.state or agent.call != seen.call:
            return
        if agent.call is not None:
            self._act_in_call(agent, agent.call)
        elif agent.state is AgentState.LOGGED_OUT:
            self.ask(e.AgentSignedIn, agent.id)
        elif agent.state is AgentState.DISCONNECTED:
            self.ask(e.AgentConnectionRestored, agent.id)
        else:
            self._act_at_rest(agent)

    def _act_at_rest(self, agent: Agent) -> None:
        if agent.state is AgentState.READY:
            self.ask(e.MediaReady, agent.id, ready=True, epoch=agent.media_epoch)
            if not self.going_home:
                self._do_one_of(agent.id, (
                    (0.02, *self._mistake()),
                    (0.4, e.DialRequested, {"number": self.rng.choice(NUMBERS), **self._about()}),
                    (0.1, e.AgentPaused, {"reason": "tea"}),
                    (0.05, e.AgentConnectionLost, {}),
                    (0.03, e.AgentSignedOut, {}),
                    (0.03, e.AgentForced, {"state": "PAUSED", "now": True}),
                ))  # fmt: skip
            return
        if agent.state is AgentState.PAUSED and not self.going_home and self.rng.random() < 0.2:
            self.ask(e.DialRequested, agent.id, number=self.rng.choice(NUMBERS), **self._about())
        self.ask(e.MediaReady, agent.id, ready=True, epoch=agent.media_epoch)
        self.ask(e.AgentWentReady, agent.id)

    def _act_in_call(self, agent: Agent, call: CallId) -> None:
        if agent.state is AgentState.OFFERED:
            self.ask(e.OfferAcknowledged, agent.id, call=call, live=self.rng.random() < 0.97)
            choices = ((0.1, e.AnswerRequested, {"call": call}), (0.05, e.DeclineRequested, {"call": call}))
            self._do_one_of(agent.id, choices)
        elif agent.state is AgentState.DIALING:
            self.ask(e.HangUpRequested, agent.id, call=call)
        elif agent.state is AgentState.WRAP_UP:
            self._wrap_up(agent.id, call)
        elif agent.state is AgentState.HOLDING:
            self.ask(e.ResumeRequested, agent.id, call=call)
        elif agent.state is AgentState.DISCONNECTED:
            self.ask(e.AgentConnectionRestored, agent.id)
        elif agent.state is AgentState.TALKING:
            self._during_talk(agent.id, call)
        elif agent.state is AgentState.CONSULTING:
            self._during_consult(agent.id, call)
        elif agent.state is AgentState.CONFERENCING:
            self._during_three_way(agent.id, call)

    def _wrap_up(self, agent: AgentId, call: CallId) -> None:
        dice = self.rng.random() if not self.going_home else 1.0
        if dice < 0.1:
            self.ask(e.WrapUpExtended, agent, call=call)
        elif dice < 0.12:  # again and again, until it is refused
            for _ in range(11):
                self.ask(e.WrapUpExtended, agent, call=call)
        elif dice < 0.15:
            self.ask(e.WrapUpFinished, agent, call=call, disposition="no such")
        else:
            self.ask(e.WrapUpFinished, agent, call=call, disposition="done")

    def _mistake(self) -> tuple[type[e.AgentRequest], dict[str, Any]]:
        """At rest. What can never be done; it changes nothing."""
        return self.rng.choice((
            (e.DialRequested, {"number": "nobody"}),
            (e.DialRequested, {"number": NUMBERS[0], "caller_number": "110"}),
            (e.AgentPaused, {"reason": "siesta"}),
            (e.AgentForced, {"state": "TALKING"}),
            (e.MediaReady, {"ready": True, "epoch": -1}),
            (e.HangUpRequested, {"call": CallId("no such")}),
        ))  # fmt: skip

    def _do_one_of(
        self, agent: AgentId, choices: tuple[tuple[float, type[e.AgentRequest], dict[str, Any]], ...]
    ) -> None:
        dice = self.rng.random()
        for chance, request, fields in choices:
            if dice < chance:
                self.ask(request, agent, **fields)
                return
            dice -= chance

    def _during_talk(self, agent: AgentId, call: CallId) -> None:
        for chance, request, fields in (
            (0.1, e.MuteRequested, {}),
            (0.1, e.DigitsRequested, {"digits": "12#"}),
            (0.01, e.DigitsRequested, {"digits": "12x"}),
            (0.15, e.RecordingPauseRequested, {}),
            (0.05, e.AgentPaused, {"reason": "lunch"}),  # afterwards
            (0.05, e.UnmuteRequested, {}),
            (0.05, e.CallMarkRequested, {}),
            (0.05, e.HelpRequested, {"wanted": self.rng.random() < 0.6}),
            (0.05, e.RejoinRequested, {}),  # the page has no sound
            (0.1, e.DraftSaved, {"call": call, "note": "half a word"}),
        ):
            if self.rng.random() < chance:
                about = {"call": call} if issubclass(request, e.CallRequest) else {}
                self.ask(request, agent, **{**about, **fields})
        kind, target = self._transfer_target()
        there = {"call": call, "kind": kind, "target": target, "note": self.rng.choice(NOTES)}
        self._do_one_of(agent, (
            (0.1, e.HoldRequested, {"call": call}),
            (0.15, e.TransferRequested, there),
            (0.15, e.ConsultRequested, there),
            (0.03, e.AgentForced, {"state": "PAUSED", "now": True}),
            (0.32, e.HangUpRequested, {"call": call}),
        ))  # fmt: skip

    def _during_consult(self, agent: AgentId, call: CallId) -> None:
        """Not yet possible is refused, and tried again a little later."""
        still = self._state().calls.get(call)
        if still is None or still.consult is None or still.consult.agent != agent:
            return
        self._do_one_of(agent, (
            (0.05, e.AgentForced, {"state": "PAUSED", "now": True}),
            (0.3, e.ConsultSwapRequested, {"call": call}),
            (0.2, e.ConsultCompleteRequested, {"call": call}),
            (0.15, e.ConsultCancelRequested, {"call": call}),
            (0.15, e.ThreeWayRequested, {"call": call}),
            (0.05, e.HangUpRequested, {"call": call}),
        ))  # fmt: skip
        self._after(DELAYS_MS[AgentState.CONSULTING], self._during_consult, agent, call)

    def _during_three_way(self, agent: AgentId, call: CallId) -> None:
        still = self._state().agents.get(agent)
        if still is None or still.state is not AgentState.CONFERENCING or still.call != call:
            return
        choices = ((0.4, e.HangUpRequested, {"call": call}), (0.2, e.ConsultCancelRequested, {"call": call}))
        self._do_one_of(agent, choices)
        self._after(DELAYS_MS[AgentState.CONFERENCING], self._during_three_way, agent, call)

    def _transfer_target(self) -> tuple[e.TransferKind, str]:
        config = self._state().config
        return self.rng.choice((
            (e.TransferKind.QUEUE, self.rng.choice(tuple(config.queues))),
            (e.TransferKind.AGENT, self.rng.choice(tuple(config.agents))),
            (e.TransferKind.NUMBER, "10010"),
            (e.TransferKind.EXTENSION, self._extension()),
        ))  # fmt: skip

    def _about(self) -> dict[str, Any]:
        """What a program tells us of whom it wants called."""
        return {"customer": self.rng.choice(CUSTOMERS), "attached": self.rng.choice(ATTACHED)}

    def _extension(self) -> str:
        """Mostly of somebody who pauses: the others are busy, or are offered the call. And one where nobody sits."""
        state = self._state()
        devices = {name: agent.device for name, agent in state.config.agents.items()}
        all_of_them = {name: one.address for name, one in devices.items() if one is not None and one.trunk is None}
        paused = [at for name, at in all_of_them.items() if state.agents[name].state is AgentState.PAUSED]
        some = paused if paused and self.rng.random() < 0.7 else [*all_of_them.values(), "1999"]
        return self.rng.choice(some)

    def _resume_recording(self, call_id: CallId) -> None:
        call = self._state().calls.get(call_id)
        if call is not None and call.bridge is not None and call.bridge.agent is not None:
            self.ask(e.RecordingResumeRequested, call.bridge.agent, call=call_id)

    def _remove(self, call_id: CallId) -> None:
        """Whatever the call does by then: with an agent it is refused."""
        self._request(e.CallRemovalRequested, call=call_id)

    def _look_at_own_page(self, name: AgentId) -> None:
        agent = self._state().agents.get(name)
        if agent is None:
            return
        if agent.state is AgentState.LOGGED_OUT:
            self.ask(e.AgentSignedIn, name)
        elif agent.state in (AgentState.PAUSED, AgentState.NOT_RESPONDING):
            self.ask(e.AgentWentReady, name)

    # --- programs ---

    def web_callback(self) -> None:
        """Somebody asks for a call on a web page, or in a month's time; now and then they think better of it."""
        queue = self.rng.choice(tuple(self._state().config.queues))
        number = f"1370000{self.rng.randrange(40):04d}"
        if self.rng.random() < 0.05:
            due_ms = self._state().now_ms + 31 * 86_400_000
            self._request(e.CallbackRequested, queue=queue, number=number, due_ms=due_ms)
        self._request(e.CallbackRequested, queue=queue, number=number, **self._about())
        if self.rng.random() < 0.1:  # pressed twice
            self._request(e.CallbackRequested, queue=queue, number=number)
        self._after((3_000, 60_000), self._think_better_of_it, number)

    def _think_better_of_it(self, number: str) -> None:
        if self.rng.random() < 0.3:
            booked = [
                call.id for call in self._state().calls.values() if call.callback and call.callback.number == number
            ]
            for call in booked[:1]:
                self._request(e.CallbackCancelRequested, call=call)

    # --- mishaps -----------------------------------------------------------------------------------------------------

    def mishap(self) -> None:
        """A telephone is unplugged for a while, or a page loses its sound or its line."""
        agent = self.rng.choice(tuple(self._state().agents.values()))
        config = self._state().config.agents.get(agent.id)
        dice = self.rng.random()
        if dice < 0.4 and config is not None and config.device is not None and config.device.trunk is None:
            address = config.device.address
            self.phones.register(address, False)
            self._after((2_000, 40_000), self.phones.register, address, True)
        elif dice < 0.5:
            self.ask(e.MediaClaimed, agent.id, page=f"page{self._serial}")
            self._after((300, 3_000), self._sound_is_back, agent.id)
        elif dice < 0.7:
            self.ask(e.MediaReady, agent.id, ready=False, epoch=agent.media_epoch)
            self._after((1_000, 10_000), self._sound_is_back, agent.id)
        else:
            self.ask(e.AgentConnectionLost, agent.id)

    def _sound_is_back(self, name: AgentId) -> None:
        agent = self._state().agents.get(name)
        if agent is not None:
            self.ask(e.MediaReady, name, ready=True, epoch=agent.media_epoch)
