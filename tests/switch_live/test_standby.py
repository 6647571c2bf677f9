"""Two engines on a real switch: the leader killed, stopped and restarted with callers in every state."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from tests.switch_live.conftest import Rig
from tests.switch_live.event_socket import EventSocket
from tests.switch_live.journeys import (
    at_node,
    call_in_menu,
    call_into_sales,
    finish_wrap_up,
    in_state,
    talking,
    until,
)
from tests.switch_live.pair import Pair
from tests.switch_live.phones import Caller
from tests.switch_live.waiting import eventually
from tests.switch_live.wire import Wire

MENU, MUSIC, RINGING, TALK = (f"1340000000{n}" for n in range(4))
TAKEOVER_S = 2.0


_GUARDED = re.compile(rb"^(.*)\$\{trunkline_fenced_(\d+)_", re.MULTILINE)


class Commands(Wire):
    """Between engines and switch: in which term's name what is sent, in order."""

    def __init__(self, rig: Rig) -> None:
        self.sent: list[tuple[int, str]] = []
        super().__init__(rig.switch.event_socket_port)

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:  # type: ignore[override]
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                for line in _GUARDED.finditer(data):
                    self.sent.append((int(line.group(2)), line.group(1).decode()))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def commands(rig: Rig) -> Iterator[Commands]:
    wire = Commands(rig)
    rig.center.call("place", {"event_socket_port": wire.port}, {}, {})
    yield wire
    rig.center.call("place", {"event_socket_port": rig.switch.event_socket_port}, {}, {})
    wire.stop()


@pytest.fixture
def pair(rig: Rig, commands: Commands, live_directory: Path) -> Iterator[Pair]:
    rig.center.stop_engine()
    both = Pair(rig.center, live_directory / f"pair-{time.monotonic_ns()}")
    try:
        both.start()
        yield both
    finally:
        both.stop()


class Phases:
    """A caller in the menu, one with music, one whose agent's telephone rings, one who talks."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.talks, self.rings, self.later = (rig.center.agent(name) for name in ("李娜", "王芳", "刘洋"))
        rig.seat(self.talks, self.later)
        rig.seat(self.rings, ring_ms=5_000)
        rig.center.make_ready(self.talks)
        self.callers: dict[str, Caller] = {TALK: call_into_sales(rig, TALK)}
        self.talk = talking(rig, TALK, self.talks)
        self.callers[MENU] = call_in_menu(rig, MENU)
        self.callers[MENU].press("1")
        at_node(rig, MENU, "main")
        rig.center.make_ready(self.rings)
        self.callers[RINGING] = call_into_sales(rig, RINGING)
        rig.center.wait_for(self.rings, AgentState.OFFERED)
        self.callers[MUSIC] = call_into_sales(rig, MUSIC)
        in_state(rig, MUSIC, CallState.WAITING)
        self.ids = {number: self._call(number) for number in self.callers}

    def _call(self, number: str) -> str:
        call = self.rig.center.live_call(number)
        assert call is not None, f"the call of {number} is gone"
        return str(call.id)

    def end_well(self) -> None:
        """Everybody is still there, in the same call, and is served."""
        rig = self.rig
        in_state(rig, TALK, CallState.TALKING)
        assert {number: self._call(number) for number in self.callers} == self.ids
        talking(rig, RINGING, self.rings, 30)
        until(rig, MENU, lambda call: call.state is CallState.IVR, "in the menu again")
        self.callers[TALK].hang_up()
        finish_wrap_up(rig, self.talks, self.talk.id)
        talking(rig, MUSIC, self.talks, 30)
        self.callers[MENU].press("1")
        rig.center.make_ready(self.later)
        talking(rig, MENU, self.later, 30)
        for number in (MENU, RINGING, MUSIC):
            self.callers[number].hang_up()
        for number in self.callers:
            assert rig.center.history(number)["outcome"] == "served"


def test_a_killed_leader_is_followed_within_two_seconds(rig: Rig, pair: Pair) -> None:
    phases = Phases(rig)
    leader = pair.level()
    leader.kill()
    took_s = pair.taken_over(pair.other(leader), time.monotonic())
    print(f"leading after {took_s:.2f} s")
    assert took_s < TAKEOVER_S
    phases.end_well()


def test_a_leader_that_stood_still_commands_nothing_any_more(rig: Rig, pair: Pair, commands: Commands) -> None:
    phases = Phases(rig)
    carried_out = EventSocket(rig.switch.event_socket_port, rig.switch.password)
    carried_out.subscribe("API")
    leader = pair.level()
    term = leader.health()["term"]
    leader.send(signal.SIGSTOP)
    stopped = time.monotonic()
    took_s = pair.taken_over(pair.other(leader), stopped)
    print(f"leading after {took_s:.2f} s")
    assert took_s < TAKEOVER_S
    in_state(rig, MUSIC, CallState.WAITING)
    leader.send(signal.SIGCONT)
    phases.end_well()
    assert pair.level() is pair.other(leader), "the one that stood still stands by"
    terms = [one for one, _ in commands.sent]
    assert set(terms) == {term, term + 1}
    # Its threads may have had something to say when they woke: of that the switch has carried out nothing.
    late = [line for one, line in commands.sent[terms.index(term + 1) :] if one == term and "api " in line]
    refused = [event for event in _all(carried_out) if "fenced-" in event.get("API-Command-Argument", "")]
    print(f"sent too late: {late}, refused: {len(refused)}")
    assert len(refused) >= len(late)
    carried_out.close()


def _all(events: EventSocket) -> Iterator[dict[str, str]]:
    """Those until now; engines give the switch something to tell all the time."""
    now_us = time.time_ns() // 1_000
    while int((event := events.next_event(20))["Event-Date-Timestamp"]) < now_us:
        yield event


def test_the_switch_refuses_a_command_of_a_term_that_is_over(rig: Rig, pair: Pair) -> None:
    """As it would come from a socket's buffer, long after."""
    api = rig.switch.api
    leader = pair.level()
    guard = api.api("global_getvar trunkline_term").strip()
    waiting = call_into_sales(rig, MUSIC)
    leg = in_state(rig, MUSIC, CallState.WAITING).leg
    leader.kill()
    pair.taken_over(pair.other(leader), time.monotonic())
    fence = f"trunkline_fenced_{guard}"
    eventually(lambda: api.api(f"global_getvar {fence}") == "fenced-", 10, "the fence set before the first command")
    for old in (f"expand uuid_kill ${{trunkline_fenced_{guard}}}{leg}",
                f"expand expand ${{trunkline_fenced_{guard}}}uuid_kill {leg}",
                f"expand expand ${{trunkline_fenced_{guard}}}originate {{x='y'}}user/1001 &park()"):  # fmt: skip
        assert "-ERR" in api.api(old)
    assert api.api(f"uuid_exists {leg}") == "true"
    now = api.api("global_getvar trunkline_term").strip()
    assert now != guard
    assert api.api(f"expand uuid_kill ${{trunkline_fenced_{now}}}{leg}").startswith("+OK")
    eventually(lambda: waiting.gone, 20, "the same command of the leader obeyed")


def test_a_rolling_restart_loses_nobody(rig: Rig, pair: Pair) -> None:
    phases = Phases(rig)
    first = pair.level()
    second = pair.other(first)
    first.send(signal.SIGTERM)
    took_s = pair.taken_over(second, time.monotonic())
    print(f"handed over in {took_s:.2f} s")
    assert first.process is not None and first.process.wait(20) == 0
    first.start()
    assert pair.level() is second
    second.send(signal.SIGTERM)
    pair.taken_over(first, time.monotonic())
    assert took_s < TAKEOVER_S
    phases.end_well()
