"""A switch in the test's loop that speaks Event Socket: its telephones and those who call in."""

from __future__ import annotations

import time
from itertools import count

from apps.switches.simulator.channel import Channel
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.dialplan import Dialplan
from apps.switches.simulator.event_socket import EventSocketServer
from apps.switches.simulator.media import SoundLibrary
from apps.switches.simulator.model import Switch
from apps.switches.simulator.people import CallerPlan, Callers
from apps.switches.simulator.phones import PhoneBook
from tests.ports import free_port

PASSWORD = "simulator-password"
DID = "4008005566"
GATEWAY = "carrier"


class SimulatedSwitch:
    """``arrivals``: where its calls go, for each engine in turn; as the switch's row has it."""

    def __init__(self, engines: int, *, seed: int = 0) -> None:
        self.port = free_port()
        self.arrivals = "|".join(f"127.0.0.1:{free_port()}" for _ in range(engines))
        clock = Scheduler(int(time.time() * 1000))
        dialplan = Dialplan(sockets=self.arrivals)
        self.model = Switch(
            seed=seed, clock=clock, dialplan=dialplan, sounds=SoundLibrary(None, 200), gateways=(GATEWAY,)
        )
        self.phones = PhoneBook(self.model)
        self.callers = Callers(self.model)
        self.event_socket = EventSocketServer(self.model, self.phones, port=self.port, password=PASSWORD)
        self._seed, self._callers = seed, count(1)

    # --- people ------------------------------------------------------------------------------------------------------

    def place_call(self, keys: str, *, talk_ms: int | None = None) -> Channel:
        plan = CallerPlan(
            number=f"1380{self._seed:03d}{next(self._callers):04d}", did=DID, trunk=GATEWAY, keys=keys,
            reaction_ms=50, patience_ms=None, talk_ms=talk_ms,
        )  # fmt: skip
        self.event_socket.time.catch_up()
        channel = self.callers.place(plan)
        self.event_socket.time.catch_up()
        return channel

    def hang_up(self, channel: Channel) -> None:
        self.event_socket.time.catch_up()
        self.model.hang_up(channel, "NORMAL_CLEARING")
        self.event_socket.time.catch_up()

    def pick_up(self, phone: str) -> bool:
        self.event_socket.time.catch_up()
        picked = self.phones.pick_up(phone)
        self.event_socket.time.catch_up()
        return picked

    def put_down(self, phone: str) -> None:
        self.event_socket.time.catch_up()
        self.phones.put_down(phone)
        self.event_socket.time.catch_up()
