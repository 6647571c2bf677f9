"""The phones that the switch can ring: agents' devices and numbers behind a gateway."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from apps.switches.simulator import originate
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.model import Switch
from apps.switches.simulator.rooms import is_in_room

RING_AFTER_MS = 20
AUTO_ANSWER_MS = 60


class Answering(StrEnum):
    """What a phone does when it rings. All but the first four are SIP refusals."""

    AUTO = "auto"  # picks up after its delay
    TOLD = "told"  # picks up when the switch or its user says so
    NEVER = "never"  # rings until the originate gives up
    MIXED = "mixed"  # mostly auto; now and then busy, rejecting or silent
    BUSY = "busy"
    REJECT = "reject"
    UNALLOCATED = "unallocated"
    UNAVAILABLE = "unavailable"
    CONGESTION = "congestion"
    GONE = "gone"
    INCOMPATIBLE = "incompatible"
    UNREACHABLE = "unreachable"


REFUSALS: dict[Answering, str] = {
    Answering.BUSY: "USER_BUSY",
    Answering.REJECT: "CALL_REJECTED",
    Answering.UNALLOCATED: "UNALLOCATED_NUMBER",
    Answering.UNAVAILABLE: "NO_USER_RESPONSE",
    Answering.CONGESTION: "NORMAL_TEMPORARY_FAILURE",
    Answering.GONE: "NUMBER_CHANGED",
    Answering.INCOMPATIBLE: "INCOMPATIBLE_DESTINATION",
    Answering.UNREACHABLE: "NORMAL_TEMPORARY_FAILURE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneBehaviour:
    """After ``talk_ms`` of a talk this side hangs up; None = the other does. More calls than ``lines`` are busy.

    Who has answered and has nobody to talk with for ``patience_ms`` hangs up; None = waits for ever.
    """

    answering: Answering = Answering.AUTO
    delay_ms: tuple[int, int] = (800, 3000)
    refuse_after_ms: int = 300
    talk_ms: tuple[int, int] | None = None
    patience_ms: tuple[int, int] | None = None
    lines: int = 1
    mishap: float = 0.1  # of MIXED


@dataclass(slots=True, eq=False)
class Phone:
    address: str
    behaviour: PhoneBehaviour = field(default_factory=PhoneBehaviour)
    registered: bool = True
    channels: list[Channel] = field(default_factory=list)

    def ringing(self) -> Channel | None:
        return next((c for c in self.channels if c.alive and not c.answered), None)


class PhoneBook:
    """All phones of the switch. A number behind a gateway is a phone too, by default one that picks up."""

    def __init__(self, switch: Switch, seed: int = 0, outside: PhoneBehaviour | None = None) -> None:
        self.switch = switch
        self.phones: dict[str, Phone] = {}
        self.outside = outside or PhoneBehaviour()
        self._rng = random.Random(f"{seed}/phones")
        switch.phones = self
        switch.listeners.append(self._heard)

    def add(self, address: str, behaviour: PhoneBehaviour | None = None, registered: bool = True) -> Phone:
        phone = Phone(address, behaviour or PhoneBehaviour(), registered)
        self.phones[address] = phone
        return phone

    def register(self, address: str, registered: bool) -> None:
        """A phone came or went: ``sofia::register`` or ``sofia::unregister``."""
        phone = self.phones.get(address) or self.add(address, registered=not registered)
        if phone.registered != registered:
            phone.registered = registered
            self.announce(phone)

    def announce(self, phone: Phone) -> None:
        subclass = "sofia::register" if phone.registered else "sofia::unregister"
        domain = self.switch.globals["domain"]
        headers = {
            "Event-Subclass": subclass,
            "profile-name": self.switch.profiles[-1],
            "from-user": phone.address,
            "from-host": domain,
            "contact": f'"" <sip:{phone.address}@127.0.0.1:5090>',
            "call-id": f"{phone.address}@simulator",
            "expires": "3600" if phone.registered else "0",
            "to-user": phone.address,
            "to-host": domain,
            "network-ip": "127.0.0.1",
            "network-port": "5090",
            "username": phone.address,
            "realm": domain,
            "status": "Registered(UDP)" if phone.registered else "Unregistered",
        }
        self.switch.emit("CUSTOM", None, headers)

    def is_registered(self, address: str) -> bool:
        phone = self.phones.get(address)
        return phone is not None and phone.registered

    def registered(self) -> list[str]:
        return [address for address, phone in self.phones.items() if phone.registered]

    # --- what the switch does to a phone ------------------------------------------------------------------------

    def invited(self, channel: Channel, address: str, endpoint: str) -> None:
        phone = self.phones.get(address) or self.phones.get(address.partition("@")[0])
        if phone is None and endpoint == "gateway":
            phone = self.add(address, self.outside, registered=False)
        if phone is None:
            self.switch.hang_up(channel, "NORMAL_TEMPORARY_FAILURE")  # nobody is there
            return
        channel.phone = phone.address
        busy = len([c for c in phone.channels if c.alive]) >= phone.behaviour.lines
        phone.channels.append(channel)
        answering = Answering.BUSY if busy else self._mood(phone.behaviour)
        if answering is Answering.UNREACHABLE:
            self.switch.hang_up(channel, REFUSALS[answering])
            return
        self._after(RING_AFTER_MS, lambda: originate.ringing(self.switch, channel))
        self._answer_or_refuse(channel, phone, answering)

    def _answer_or_refuse(self, channel: Channel, phone: Phone, answering: Answering) -> None:
        behaviour = phone.behaviour
        if answering in REFUSALS:
            refused = REFUSALS[answering]
            self._after(behaviour.refuse_after_ms, lambda: self._refuse(channel, refused))
        elif channel.variables.get("sip_auto_answer") == "true":
            self._after(AUTO_ANSWER_MS, lambda: originate.answered(self.switch, channel))
        elif answering is Answering.AUTO:
            delay = self._rng.randint(*behaviour.delay_ms)
            self._after(max(RING_AFTER_MS, delay), lambda: originate.answered(self.switch, channel))

    def _mood(self, behaviour: PhoneBehaviour) -> Answering:
        if behaviour.answering is not Answering.MIXED:
            return behaviour.answering
        if self._rng.random() >= behaviour.mishap:
            return Answering.AUTO
        return self._rng.choice((Answering.BUSY, Answering.REJECT, Answering.NEVER, Answering.UNAVAILABLE))

    def _refuse(self, channel: Channel, cause: str) -> None:
        if not channel.answered:
            self.switch.hang_up(channel, cause)

    def _after(self, delay_ms: int, action: Callable[[], None]) -> None:
        self.switch.clock.after(delay_ms, action)

    def asked_to_answer(self, channel: Channel) -> bool:
        """SIP ``Event: talk``: every phone of ours understands it."""
        if channel.alive and not channel.answered and channel.direction == "outbound":
            self._after(AUTO_ANSWER_MS, lambda: originate.answered(self.switch, channel))
            return True
        return False

    # --- what a phone's user does -------------------------------------------------------------------------------

    def pick_up(self, address: str) -> bool:
        phone = self.phones.get(address)
        channel = phone.ringing() if phone else None
        if channel is None:
            return False
        originate.answered(self.switch, channel)
        return True

    def put_down(self, address: str) -> bool:
        """Hang up whatever the phone is in; while it rings that is a rejection."""
        phone = self.phones.get(address)
        live = [c for c in phone.channels if c.alive] if phone else []
        for channel in live:
            self.switch.hang_up(channel, "NORMAL_CLEARING" if channel.answered else "CALL_REJECTED")
        return bool(live)

    def _heard(self, name: str, channel: Channel | None, headers: dict[str, str]) -> None:
        if channel is None:
            return
        if name == "CHANNEL_BRIDGE":
            for leg in (channel, channel.peer):
                phone = self.phones.get(leg.phone) if leg is not None and leg.direction == "outbound" else None
                if leg is not None and phone is not None and phone.behaviour.talk_ms is not None:
                    talk_ms = self._rng.randint(*phone.behaviour.talk_ms)
                    self._after(talk_ms, lambda leg=leg: self._talked_enough(leg))  # type: ignore[misc]
        elif name == "CHANNEL_ANSWER" and channel.direction == "outbound":
            phone = self.phones.get(channel.phone)
            if phone is not None and phone.behaviour.patience_ms is not None:
                self._after(self._rng.randint(*phone.behaviour.patience_ms), lambda: self._waited_enough(channel))
        elif name == "CHANNEL_HANGUP" and channel.direction == "outbound":
            phone = self.phones.get(channel.phone)
            if phone is not None and channel in phone.channels:
                phone.channels.remove(channel)

    def _waited_enough(self, channel: Channel) -> None:
        if channel.alive and channel.bridge is None and not is_in_room(channel):
            self.switch.hang_up(channel, "NORMAL_CLEARING")

    def _talked_enough(self, channel: Channel) -> None:
        if channel.bridge is not None and channel.bridge.up:
            self.switch.hang_up(channel, "NORMAL_CLEARING")
