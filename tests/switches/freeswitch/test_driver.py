"""The whole driver in its thread, against a peer on real TCP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from apps.core import commands as c
from apps.core.events import (
    BridgeFailed,
    CallArrived,
    DeviceChanged,
    HangupCause,
    LegHungUp,
    LegRole,
    LinkDown,
    LinkUp,
    PlayEnded,
    PlayOutcome,
    SwitchEvent,
)
from apps.core.ids import CallId, LegId, PlayId, SwitchId, TenantId
from apps.switches.base import SwitchDriver
from apps.switches.freeswitch import arrivals
from apps.switches.freeswitch import driver as driver_module
from apps.switches.freeswitch.driver import FreeSwitchDriver
from apps.switches.freeswitch.framing import MAX_MESSAGE_BYTES
from tests.switches.freeswitch.fakes import SETTINGS
from tests.switches.freeswitch.peer import PASSWORD, Inbox, Peer, until

S = SwitchId("1")
LEG = LegId("leg-1")


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


def make(peer: Peer, **changes: object) -> FreeSwitchDriver:
    base = replace(SETTINGS, port=peer.port, arrival_port=0, password=PASSWORD, reply_timeout_ms=1000)
    return FreeSwitchDriver(replace(base, **changes))  # type: ignore[arg-type]


@pytest.fixture
def driver(peer: Peer) -> Iterator[FreeSwitchDriver]:
    made = make(peer)
    yield made
    made.stop()


@pytest.fixture
def inbox(driver: FreeSwitchDriver) -> Inbox:
    made = Inbox()
    driver.start(made)
    made.wait(LinkUp)
    return made


def originate(leg: str = "leg-1") -> c.OriginateLeg:
    return c.OriginateLeg(
        switch=S, leg=LegId(leg), call=CallId("c1"), tenant=TenantId("1"), role=LegRole.AGENT, ring_timeout_ms=1000,
        destination=c.Destination(kind=c.DestinationKind.DEVICE, address="1001"),
    )  # fmt: skip


def play() -> c.PlayPrompts:
    return c.PlayPrompts(switch=S, leg=LEG, play=PlayId("p"), sounds=("a.wav",))


def register(user: str = "1001") -> dict[str, str]:
    return {"Event-Name": "CUSTOM", "Event-Subclass": "sofia::register", "from-user": user}


def test_it_is_a_switch_driver(driver: FreeSwitchDriver) -> None:
    as_driver: SwitchDriver = driver
    assert as_driver.switch == S


def test_it_logs_in_on_every_link_subscribes_and_tells_the_boot_before_any_event(peer: Peer, inbox: Inbox) -> None:
    assert inbox.events[0] == LinkUp(switch=S, boot="boot-1")
    assert peer.commands.count(f"auth {PASSWORD}") == 5, "four lanes and the events"
    assert len(peer.subscribers) == 1
    peer.push(register())
    inbox.wait(DeviceChanged)


def test_a_wrong_password_is_said_once_and_tried_again(peer: Peer) -> None:
    driver, inbox = make(peer, password="wrong"), Inbox()
    driver.start(inbox)
    try:
        until(lambda: peer.commands.count("auth wrong") >= 3, "three tries")
        assert [type(event) for event in inbox.events] == [LinkDown]
        assert "password" in str(inbox.events[0])
    finally:
        driver.stop()


def test_a_peer_that_is_no_switch_is_left(peer: Peer) -> None:
    peer.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    driver, inbox = make(peer, connect_timeout_ms=200), Inbox()
    driver.start(inbox)
    try:
        inbox.wait(LinkDown)
        until(lambda: len(peer.connections) >= 2, "another try")
    finally:
        driver.stop()


def test_a_torn_link_fails_what_waits_and_is_made_again(peer: Peer, driver: FreeSwitchDriver, inbox: Inbox) -> None:
    peer.silent = True
    driver.execute(originate())
    driver.execute(play())
    until(lambda: sum("originate" in text or "playback" in text for text in peer.commands) >= 2, "both commands")
    peer.silent = False
    peer.tear()
    (gone,) = inbox.wait(LegHungUp)
    assert isinstance(gone, LegHungUp) and gone.cause is HangupCause.UNREACHABLE
    (end,) = inbox.wait(PlayEnded)
    assert isinstance(end, PlayEnded) and end.outcome is PlayOutcome.FAILED
    inbox.wait(LinkUp, 2)
    assert len(inbox.of(LinkDown)) == 1 and driver.counters.reconnects == 1
    peer.push(register())
    inbox.wait(DeviceChanged)
    until(lambda: any("uuid_kill leg-1 ORIGINATOR_CANCEL" in text for text in peer.commands), "the leg's end")


def test_while_the_link_is_down_commands_fail_at_once(peer: Peer, driver: FreeSwitchDriver, inbox: Inbox) -> None:
    peer.close()
    inbox.wait(LinkDown)
    driver.execute(originate("a"))
    driver.execute(c.BridgeLegs(switch=S, leg=LegId("a"), other=LegId("b")))
    driver.execute(play())
    driver.execute(c.StartMusic(switch=S, leg=LEG))
    inbox.wait(LegHungUp)
    inbox.wait(BridgeFailed)
    inbox.wait(PlayEnded)
    assert driver.counters.refused == 4


def test_a_switch_that_answers_nothing_is_given_up(peer: Peer, driver: FreeSwitchDriver, inbox: Inbox) -> None:
    peer.silent = True
    driver.execute(originate())
    (down,) = inbox.wait(LinkDown)
    assert "no reply" in str(down)


def test_a_silent_switch_is_asked_for_a_sign_of_life(peer: Peer, driver: FreeSwitchDriver, inbox: Inbox) -> None:
    until(lambda: peer.commands.count("api strepoch") >= 8, "pings on every link")
    assert not inbox.of(LinkDown)
    peer.silent = True
    inbox.wait(LinkDown)


@pytest.mark.parametrize(
    "poison",
    [
        b"Content-Type: text/event-plain\nContent-Length: %d\n\n" % (MAX_MESSAGE_BYTES + 1),
        b"Content-Type: text/event-plain\nContent-Length: -1\n\n",
        b"Content-Type: command/reply\nReply-Text: +OK to nothing\n\n",
        b"Content-Type: text/rude-rejection\nContent-Length: 0\n\n",
    ],
)
def test_a_stream_that_cannot_be_trusted_is_dropped_and_made_anew(peer: Peer, inbox: Inbox, poison: bytes) -> None:
    peer.write(poison)
    inbox.wait(LinkDown)
    inbox.wait(LinkUp, 2)


def test_bytes_that_are_no_utf8_or_no_event_end_nothing(peer: Peer, driver: FreeSwitchDriver, inbox: Inbox) -> None:
    peer.push_raw(b"Event-Name: CUSTOM\nEvent-Subclass: sofia%3A%3Aregister\nfrom-user: 1%FF\xfe\n\n")
    peer.push_raw(b'{"Event-Name":"CUSTOM"}')
    peer.push_raw(b"\n" * 100_000)
    peer.push(register("1002"))
    told = inbox.wait(DeviceChanged, 2)
    assert [event.address for event in told if isinstance(event, DeviceChanged)] == ["1\ufffd\ufffd", "1002"]
    assert driver.counters.unreadable == 2 and not inbox.of(LinkDown)


def test_an_engine_that_throws_stops_no_event(peer: Peer, driver: FreeSwitchDriver) -> None:
    seen: list[str] = []

    def sink(event: object) -> None:
        seen.append(type(event).__name__)
        raise RuntimeError("the engine's own trouble")

    driver.start(sink)
    until(lambda: "LinkUp" in seen, "LinkUp")
    peer.push(register())
    until(lambda: "DeviceChanged" in seen, "the event after it")


def test_a_flood_of_commands_is_bounded(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "INBOX_LIMIT", 10)
    driver, inbox = make(peer), Inbox()
    driver._sink = inbox  # not started: nothing takes the commands out
    for number in range(15):
        driver.execute(originate(f"l{number}"))
    assert len(driver._inbox) == 10 and driver.counters.refused == 5
    assert [event.raw for event in inbox.events if isinstance(event, LegHungUp)] == ["DRIVER_FULL"] * 5


def test_the_watchdog_sees_a_thread_that_hangs_or_died(peer: Peer, driver: FreeSwitchDriver) -> None:
    hold = threading.Event()

    def sink(event: SwitchEvent) -> None:
        if isinstance(event, DeviceChanged):
            hold.wait(20)

    driver.start(sink)
    until(lambda: driver.linked and driver.alive_ms_ago() < 700, "a beating thread")
    peer.push(register())
    until(lambda: driver.alive_ms_ago() > 1200, "a silence")
    hold.set()
    until(lambda: driver.alive_ms_ago() < 700, "the beat again")
    driver.stop()
    until(lambda: driver.alive_ms_ago() > 900, "the end")


# --- arrivals ------------------------------------------------------------------------------------------------------


class Caller:
    """The switch's ``socket`` application."""

    def __init__(self, driver: FreeSwitchDriver) -> None:
        until(lambda: driver.arrival_port, "the listener")
        self.sock = socket.create_connection(("127.0.0.1", driver.arrival_port), 5)
        self.sock.settimeout(5)

    def greet(self, uuid: str = "call-1", name: str = "Wang%20Fang", **headers: str) -> Caller:
        assert self.read() == b"connect\n\n"
        rows = {"Unique-ID": uuid, "Caller-Caller-ID-Name": name, "Caller-Destination-Number": "4001"} | headers
        text = "".join(f"{key}: {value}\n" for key, value in rows.items())
        self.sock.sendall(f"{text}Content-Type: command/reply\nReply-Text: %2BOK%0A\n\n".encode())
        return self

    def read(self) -> bytes:
        return self.sock.recv(4096)

    def ended(self) -> bool:
        return self.read() == b""

    def turned_away(self) -> bool:
        """Asked to show that it has parked, and let go of once it has."""
        data = b""
        while b"sleep" not in data:
            data += self.read()
        assert data.startswith(b"myevents\n\nsendmsg\n")
        self.sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.read()
        self.sock.settimeout(5)
        self.sock.sendall(b"Content-Type: command/reply\nReply-Text: +OK Events Enabled\n\n")
        self.sock.sendall(b"Content-Length: 5\nContent-Type: text/event-plain\n\nhello")
        return self.ended()


def test_a_call_arrives_and_its_socket_falls_with_the_driver(driver: FreeSwitchDriver, inbox: Inbox) -> None:
    caller = Caller(driver).greet(name="x%0AUnique-ID%3A%20other")
    (arrived,) = inbox.wait(CallArrived)
    assert isinstance(arrived, CallArrived)
    assert (arrived.leg, arrived.caller_name, arrived.did) == ("call-1", "x Unique-ID: other", "4001")
    assert driver.arrival_sockets == 1
    driver.stop()
    assert caller.ended()


def test_a_hundred_and_more_calls_at_once(driver: FreeSwitchDriver, inbox: Inbox) -> None:
    began = time.monotonic()
    callers = [Caller(driver).greet(f"call-{number}") for number in range(300)]
    inbox.wait(CallArrived, 300)
    assert time.monotonic() - began < 5  # no 100 ms sleep between two of them
    assert driver.arrival_sockets == 300
    for caller in callers:
        caller.sock.close()
    until(lambda: driver.arrival_sockets == 0, "all sockets gone")


@pytest.mark.parametrize("rubbish", [b"GET / HTTP/1.1\n\n", b"Content-Type: command/reply\nUnique-ID: a b\n\n", b""])
def test_a_stranger_at_the_door_gets_nothing(driver: FreeSwitchDriver, inbox: Inbox, rubbish: bytes) -> None:
    stranger = Caller(driver)
    assert stranger.read() == b"connect\n\n"
    stranger.sock.sendall(rubbish)
    stranger.sock.shutdown(socket.SHUT_WR)
    while stranger.read():
        pass
    Caller(driver).greet()
    assert len(inbox.wait(CallArrived)) == 1


def test_a_64_kb_name_is_cut(driver: FreeSwitchDriver, inbox: Inbox) -> None:
    Caller(driver).greet(name="%E7%8E%8B" * 21_000)
    (arrived,) = inbox.wait(CallArrived)
    assert isinstance(arrived, CallArrived) and arrived.caller_name == "王" * 128


def test_no_call_is_taken_while_the_switch_cannot_be_commanded(
    peer: Peer, driver: FreeSwitchDriver, inbox: Inbox
) -> None:
    peer.close()
    inbox.wait(LinkDown)
    assert Caller(driver).greet().turned_away()
    assert not inbox.of(CallArrived)


def test_a_closed_door_takes_only_calls_that_are_ours(driver: FreeSwitchDriver, inbox: Inbox) -> None:
    held = Caller(driver).greet("held")
    inbox.wait(CallArrived)
    driver.accept_calls(False)
    assert Caller(driver).greet("new").turned_away()
    Caller(driver).greet("back", variable_trunkline_leg="customer:c1:7")
    inbox.wait(CallArrived, 2)
    held.sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        held.read()
    driver.accept_calls(True)
    Caller(driver).greet("new")
    assert [event.leg for event in inbox.wait(CallArrived, 3) if isinstance(event, CallArrived)] == [
        "held", "back", "new",
    ]  # fmt: skip


def test_an_older_socket_stays_until_the_bridge(peer: Peer, driver: FreeSwitchDriver, inbox: Inbox) -> None:
    """Its end would un-park the call from the newer one."""
    older, newer = Caller(driver).greet(), Caller(driver).greet()
    inbox.wait(CallArrived, 2)
    for caller in (older, newer):
        caller.sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            caller.read()
        caller.sock.settimeout(5)
    bridge = {"Event-Name": "CHANNEL_BRIDGE", "Unique-ID": "agent-1", "Bridge-B-Unique-ID": "call-1"}
    peer.push(bridge | {"variable_trunkline_leg": "agent:c1:7"})
    assert older.ended() and newer.ended()


def test_a_reclaim_waits_until_the_switch_has_let_go(
    peer: Peer, driver: FreeSwitchDriver, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "RELEASE_TIMEOUT_S", 60.0)
    caller = Caller(driver).greet()
    inbox.wait(CallArrived)
    driver.execute(c.ReclaimLeg(switch=S, leg=LegId("call-1")))
    assert caller.ended()  # half-closed: we may still speak
    time.sleep(0.1)
    assert not any("uuid_transfer" in text for text in peer.commands)
    caller.sock.close()
    until(lambda: "api uuid_transfer call-1 arrival XML trunkline" in peer.commands, "the transfer")


def test_a_reclaim_does_not_wait_for_ever(peer: Peer, driver: FreeSwitchDriver, inbox: Inbox) -> None:
    Caller(driver).greet()
    inbox.wait(CallArrived)
    driver.execute(c.ReclaimLeg(switch=S, leg=LegId("call-1")))
    until(lambda: any("uuid_transfer" in text for text in peer.commands), "the transfer")
