"""Anything in any order: the model never raises, bridges stay symmetrical, and when all hang up nothing is left."""

from __future__ import annotations

import random

import pytest

from apps.switches.simulator import api
from apps.switches.simulator.channel import Job, Message
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.dialplan import Dialplan
from apps.switches.simulator.faults import FaultRates, Faults
from apps.switches.simulator.model import Switch
from apps.switches.simulator.phones import Answering, PhoneBehaviour, PhoneBook
from tests.switches.simulator.test_model import Engine

COMMANDS = (
    "uuid_bridge {a} {b}", "uuid_bridge {b} {a}", "uuid_kill {a}", "uuid_kill {a} ORIGINATOR_CANCEL",
    "uuid_transfer {a} arrival XML trunkline", "uuid_transfer {a} -both 'park' inline", "uuid_transfer {a} 4001",
    "uuid_park {a}", "uuid_break {a} all", "uuid_break {a}", "uuid_hold {a}", "uuid_hold off {a}", "uuid_dump {a} json",
    "uuid_record {a} start /r.wav", "uuid_record {a} stop /r.wav", "uuid_record {a} mask /r.wav", "uuid_answer {a}",
    "uuid_setvar {a} park_after_bridge true", "uuid_setvar {a} hangup_after_bridge true", "uuid_recv_dtmf {a} 12#",
    "uuid_setvar_multi {a} transfer_after_bridge=arrival:XML:trunkline;x=1", "uuid_phone_event {a} talk",
    "uuid_setvar {a} park_timeout 2", "show channels as json", "show calls as json", "uuid_kill", "uuid_bridge {a} {a}",
)  # fmt: skip
MESSAGES = (
    ("playback", "menu.wav"), ("playback", "{timeout=2000}local_stream://default"), ("answer", ""), ("park", ""),
    ("play_and_get_digits", "1 2 2 1000 # a.wav b.wav x [0-9]+"), ("play_and_get_digits", "1 2"), ("hangup", ""),
    ("endless_playback", "x.wav"), ("transfer", "arrival XML trunkline"), ("set", "a=b"), ("nonsense", ""),
    ("sleep", "300"), ("socket", "engine:8084 async full"), ("echo", ""), ("transfer", ""),
)  # fmt: skip


class Monkey:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        faults = Faults(FaultRates(gap_death=0.2, refused_originate=0.1, show_lag_ms=100), seed)
        self.switch = Switch(seed=seed, clock=Scheduler(1000), dialplan=Dialplan(rungs=2), faults=faults)
        self.engine = Engine(self.switch)
        phones = PhoneBook(self.switch, seed)
        for number in range(6):
            behaviour = PhoneBehaviour(answering=Answering.MIXED, delay_ms=(10, 500), lines=2, talk_ms=(50, 3000))
            phones.add(f"100{number}", behaviour)

    def act(self) -> None:
        rng, switch = self.rng, self.switch
        uuids = [*switch.channels, "nobody"]
        choice = rng.random()
        if choice < 0.1:
            switch.arrive(destination=rng.choice(("4001", "park", "x y", "")), caller_number="1")
        elif choice < 0.2:
            dial = f"{{origination_uuid=leg{rng.randrange(40)},originate_timeout=1}}user/100{rng.randrange(8)} &park()"
            switch.originate(dial, Job("j", "originate", ""))
        elif choice < 0.6:
            text = rng.choice(COMMANDS).format(a=rng.choice(uuids), b=rng.choice(uuids))
            name, _, argument = text.partition(" ")
            assert api.run(switch, name, argument)
        elif choice < 0.85:
            channel = switch.find(rng.choice(uuids))
            if channel is not None:
                app, data = rng.choice(MESSAGES)
                switch.executor.send(channel, Message(app, data, "", rng.random() < 0.7))
        elif choice < 0.95:
            channel = switch.find(rng.choice(uuids))
            if channel is not None:
                switch.press(channel, rng.choice("0123456789*#"))
        else:
            self.engine.die()
            self.engine.accepts = rng.random() < 0.8

    def check(self) -> None:
        for channel in self.switch.channels.values():
            if channel.bridge is not None and channel.bridge.up and channel.alive:
                other = channel.bridge.other(channel)
                assert not other.alive or other.bridge is channel.bridge


@pytest.mark.parametrize("seed", range(12))
def test_anything_in_any_order(seed: int) -> None:
    monkey = Monkey(seed)
    switch = monkey.switch
    for _ in range(1500):
        monkey.act()
        switch.clock.run_until(switch.clock.now_ms + monkey.rng.choice((0, 0, 1, 5, 10, 20, 40, 200)))
        monkey.check()
    for channel in list(switch.channels.values()):
        switch.hang_up(channel, "NORMAL_CLEARING")
    switch.clock.run_until(switch.clock.now_ms + 120_000)
    assert not switch.channels
    assert not monkey.engine.held
