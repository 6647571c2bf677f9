"""Seeded people, faults, and that a seed is the whole story."""

from __future__ import annotations

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core.ids import CallId, LegId, PlayId, SwitchId, TenantId
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.driver import SimulatorDriver
from apps.switches.simulator.faults import FaultRates, Faults
from apps.switches.simulator.model import Switch
from apps.switches.simulator.people import RUSH, CallerPlan, Callers, Crowd
from apps.switches.simulator.phones import Answering, PhoneBehaviour, PhoneBook

SWITCH = SwitchId("1")


class Centre:
    """The smallest engine there can be: answer, one prompt, music, the next free agent."""

    def __init__(self, seed: int, rates: FaultRates, calls: int) -> None:
        self.model = Switch(seed=seed, clock=Scheduler(1_700_000_000_000), faults=Faults(rates, seed))
        phones = PhoneBook(self.model, seed)
        self.free = [f"{1000 + number}" for number in range(20)]
        for address in self.free:
            phones.add(address, PhoneBehaviour(answering=Answering.MIXED, delay_ms=(100, 2000), mishap=0.2))
        crowd = Crowd(per_minute=120, dids=("4001",), limit=calls, patience_ms=(5_000, 60_000))
        self.callers = Callers(self.model, crowd, seed)
        self.driver = SimulatorDriver(SWITCH, self.model)
        self.log: list[tuple[int, e.SwitchEvent]] = []
        self.waiting: list[LegId] = []
        self.serving: dict[LegId, tuple[LegId, str]] = {}
        self.minted = 0

    def run(self) -> None:
        self.driver.start(self.heard)
        self.callers.start()
        end_ms = self.model.clock.now_ms + 3_600_000
        while (due := self.driver.next_due_ms()) is not None and due < end_ms:
            self.driver.run_until(due)

    def heard(self, event: e.SwitchEvent) -> None:
        self.log.append((self.model.clock.now_ms, event))
        match event:
            case e.CallArrived(leg=leg, call=None):
                self.driver.execute(c.AnswerLeg(switch=SWITCH, leg=leg))
                self.driver.execute(c.TagLeg(switch=SWITCH, leg=leg, call=CallId(f"c-{leg}"), tenant=TenantId("1")))
                self.driver.execute(
                    c.PlayPrompts(switch=SWITCH, leg=leg, play=PlayId(f"p-{leg}"), sounds=("menu.wav",))
                )
            case e.CallArrived(leg=leg):
                self.driver.execute(c.HangUpLeg(switch=SWITCH, leg=leg))
            case e.PlayEnded(leg=leg):
                self.driver.execute(c.StartMusic(switch=SWITCH, leg=leg))
                self.waiting.append(leg)
            case e.LegParked(leg=leg) if leg in self.serving:
                self.driver.execute(c.BridgeLegs(switch=SWITCH, leg=leg, other=self.serving[leg][0]))
            case e.BridgeFailed(leg=leg):
                self.driver.execute(c.HangUpLeg(switch=SWITCH, leg=leg))
            case e.LegHungUp(leg=leg):
                if leg in self.serving:
                    self.free.append(self.serving.pop(leg)[1])
                self.waiting = [other for other in self.waiting if other != leg]
        self.match()

    def match(self) -> None:
        while self.free and self.waiting:
            self.minted += 1
            customer, address, leg = self.waiting.pop(0), self.free.pop(0), LegId(f"run1-l{self.minted}")
            self.serving[leg] = (customer, address)
            self.driver.execute(
                c.OriginateLeg(
                    switch=SWITCH,
                    leg=leg,
                    call=CallId(f"c-{customer}"),
                    tenant=TenantId("1"),
                    role=e.LegRole.AGENT,
                    destination=c.Destination(kind=c.DestinationKind.DEVICE, address=address),
                    ring_timeout_ms=10_000,
                )
            )


FAULTY = FaultRates(
    lost=0.01, late=0.05, doubled=0.05, refused_originate=0.05, gap_death=0.1, drops_per_hour=60, show_lag_ms=200
)


@pytest.mark.parametrize("rates", [FaultRates(), FAULTY], ids=["calm", "faulty"])
def test_the_same_seed_is_the_same_day(rates: FaultRates) -> None:
    first, second, other = (Centre(seed, rates, 120) for seed in (7, 7, 8))
    for centre in (first, second, other):
        centre.run()
    assert repr(first.log).encode() == repr(second.log).encode()
    assert repr(first.log) != repr(other.log)
    assert not first.model.channels
    assert first.callers.placed == 120
    assert len([event for _, event in first.log if isinstance(event, e.LegsBridged)]) > 20


def test_faults_happen_about_as_often_as_said() -> None:
    clock = Scheduler()
    faults = Faults(FaultRates(lost=0.1, late=0.2, doubled=0.3), seed=3)
    seen: list[int] = []
    for number in range(5000):
        faults.deliver(clock, number, seen.append)
    at_once = len(seen)
    clock.run_until(1000)
    late = len(seen) - at_once
    assert 850 <= late <= 1050  # 0.9 · 0.2
    assert 400 <= 5000 - len(set(seen)) <= 600
    assert 950 <= len(seen) - len(set(seen)) <= 1200  # 0.9 · 0.8 · 0.3


def test_an_unknown_fault_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="gap_death"):
        FaultRates.parse("losst=0.1")
    assert FaultRates.parse("lost=0.1, show_lag_ms=200") == FaultRates(lost=0.1, show_lag_ms=200)


def place() -> tuple[Switch, PhoneBook, Callers]:
    switch = Switch(seed=2, clock=Scheduler(1000))
    return switch, PhoneBook(switch, 2), Callers(switch, seed=2)


def test_a_caller_leaves_when_his_patience_ends() -> None:
    switch, _, callers = place()
    channel = callers.place(CallerPlan(number="1", did="park", patience_ms=5_000))
    switch.clock.run_until(5_900)
    assert channel.alive
    switch.clock.run_until(6_001)
    assert not channel.alive
    assert len(callers) == 0


def test_those_who_waited_for_the_line_to_open_come_quickly_and_then_it_is_a_day_like_any_other() -> None:
    def arrivals_ms(rush: int) -> list[int]:
        switch = Switch(seed=2, clock=Scheduler(0))
        callers = Callers(switch, Crowd(per_minute=1, dids=("park",), limit=30), seed=2)
        at_ms: list[int] = []
        switch.listeners.append(
            lambda name, channel, headers: at_ms.append(switch.clock.now_ms) if name == "CHANNEL_CREATE" else None
        )
        callers.start(rush=rush)
        switch.clock.run_until(3_600_000 * 2)
        return at_ms

    rushed, calm = arrivals_ms(20), arrivals_ms(0)
    assert rushed[19] == pytest.approx(calm[19] / RUSH, abs=20)
    assert rushed[29] - rushed[19] == pytest.approx(calm[29] - calm[19], abs=20)


def test_a_caller_who_is_asked_again_says_the_same_again() -> None:
    switch, _, callers = place()
    heard: list[str] = []
    switch.listeners.append(
        lambda name, channel, headers: heard.append(headers["DTMF-Digit"]) if name == "DTMF" else None
    )
    menu = ("playback", "menu.wav")
    switch.dialplan.extensions["9"] = (("answer", ""), ("playback", "hello.wav"), menu, menu)
    callers.place(CallerPlan(number="1", did="9", keys="12", reaction_ms=100))
    switch.clock.run_until(60_000)
    assert heard == ["1", "2", "2"]


def test_a_busy_phone_is_busy() -> None:
    switch, phones, _ = place()
    phones.add("1001", PhoneBehaviour(delay_ms=(50, 50)))
    from apps.switches.simulator.channel import Job

    answers: list[str] = []
    switch.listeners.append(lambda name, channel, headers: answers.append(headers.get("_body", "")))
    for job in ("a", "b"):
        switch.originate("user/1001 &park()", Job(job, "originate", ""))
        switch.clock.run_until(switch.clock.now_ms + 1000)
    assert [text[:4] for text in answers if text] == ["+OK ", "-ERR"]
    assert "-ERR USER_BUSY\n" in answers
    assert phones.put_down("1001")
    switch.originate("user/1001 &park()", Job("c", "originate", ""))
    switch.clock.run_until(switch.clock.now_ms + 1000)
    assert [text[:4] for text in answers if text][-1] == "+OK "
