"""Two engines: one leads, the other takes over; nobody is lost, and two never command."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from apps.core import events as e
from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from apps.switches.simulator.channel import Channel
from tests.engine.floor import EngineUnderTest, Floor
from tests.engine.test_killed import TALKER, Phases, double_booked, serve_all

TAKEOVER_S = 2.0
UNTOUCHED_S = 3.0


class Commands:
    """What the switch is told, by whom (the term's guard), and whether it obeys."""

    def __init__(self, floor: Floor) -> None:
        self.obeyed: list[tuple[float, int]] = []
        self.refused: list[int] = []
        self._globals = floor.model.globals
        floor.event_socket.on_command = self._heard

    def _heard(self, command: str) -> None:
        for guard in re.findall(r"\$\{(trunkline_fenced_\d+_\d+_\w+)\}", command):
            term = int(guard.split("_")[2])
            if guard in self._globals:
                self.refused.append(term)
            else:
                self.obeyed.append((time.monotonic(), term))

    @property
    def terms(self) -> list[int]:
        return [term for _, term in self.obeyed]


@pytest.fixture
async def pair(tmp_path: Path, database: str) -> AsyncIterator[Floor]:
    running = Floor(tmp_path, database, engines=2)
    try:
        await running.start()
        await level(running)
        yield running
    finally:
        for engine in running.engines:
            if engine.process is not None:
                engine.signal(signal.SIGCONT)
        await running.stop()


async def role(engine: EngineUnderTest) -> str:
    """Asked in a thread: the switch lives in this loop, and an engine may not answer."""
    return str((await asyncio.to_thread(engine.health)).get("role", ""))


async def leads(engine: EngineUnderTest, timeout_s: float = 30.0) -> None:
    limit = time.monotonic() + timeout_s
    while await role(engine) != "leading":
        assert time.monotonic() < limit, f"engine {engine.number} does not lead: {engine.log.read_text()[-3000:]}"
        await asyncio.sleep(0.02)


async def level(floor: Floor) -> EngineUnderTest:
    """The one that leads, once the other has every fact."""
    limit = time.monotonic() + 60
    while True:
        healths = [await asyncio.to_thread(engine.health) for engine in floor.engines]
        leading = [place for place, health in enumerate(healths) if health.get("role") == "leading"]
        assert len(leading) < 2, "two engines lead for certain"
        if leading and healths[leading[0]]["standbys"]:
            return floor.engines[leading[0]]
        assert time.monotonic() < limit, floor.story()
        await asyncio.sleep(0.05)


def other(floor: Floor, engine: EngineUnderTest) -> EngineUnderTest:
    return next(one for one in floor.engines if one is not engine)


async def follows(floor: Floor, engine: EngineUnderTest) -> None:
    """The pages have found this engine."""
    await floor.until(lambda: floor.page.reachable and floor.page.door == engine.url, 20)
    await floor.ready()


def ids_of(floor: Floor) -> dict[str, str]:
    return {str(call.leg): str(call.id) for call in floor.state.calls.values()}


async def same_calls(floor: Floor, customers: list[Channel], ids: dict[str, str]) -> None:
    assert all(channel.alive for channel in customers)
    for channel in customers:
        call = await floor.call_in(channel, *CallState, timeout_s=20)
        assert call.id == ids[channel.uuid], "the same call, not a new one"


async def all_served(floor: Floor, customers: list[Channel]) -> None:
    await serve_all(floor, customers)
    await floor.recorded()
    assert {row[0] for row in floor.rows("SELECT outcome FROM calls_call")} == {"served"}
    assert floor.rows("SELECT count(*) FROM calls_leg WHERE ended_at IS NULL") == [(0,)]


async def test_a_killed_leader_is_followed_within_two_seconds_and_comes_back_as_the_standby(pair: Floor) -> None:
    first = await level(pair)
    second = other(pair, first)
    phases = Phases(pair)
    await phases.build()
    ids = ids_of(pair)
    first.kill()
    killed = time.monotonic()
    await leads(second)
    took_s = time.monotonic() - killed
    print(f"leading after {took_s:.2f} s")
    assert took_s < TAKEOVER_S
    await follows(pair, second)
    health = await asyncio.to_thread(second.health)
    assert abs(health["clock_ahead_ms"]) < 1000, "the time of standing by counts once"
    await same_calls(pair, phases.customers(), ids)
    assert phases.talking.peer is not None
    assert pair.agent_state(TALKER) is AgentState.TALKING
    assert not double_booked(pair)

    first.start()
    assert await level(pair) is second
    second.kill()  # and the other way round, without a moment's rest
    await leads(first)
    await follows(pair, first)
    await same_calls(pair, phases.customers(), ids)
    await all_served(pair, phases.customers())


async def test_a_leader_that_stood_still_commands_nothing_any_more(pair: Floor) -> None:
    first = await level(pair)
    second = other(pair, first)
    commands = Commands(pair)
    phases = Phases(pair)
    await phases.build()
    ids = ids_of(pair)
    term = max(commands.terms)
    first.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    pair.pick_up("1011")  # much for the one that stands still to react to, and all of it reaches its sockets
    await leads(second)
    took_s = time.monotonic() - stopped
    print(f"leading after {took_s:.2f} s")
    assert took_s < TAKEOVER_S
    await follows(pair, second)
    await same_calls(pair, phases.customers(), ids)
    await pair.until(lambda: term + 1 in commands.terms)
    for channel in phases.customers():
        if channel.peer is None:
            pair.model.press(channel, "1")
    first.signal(signal.SIGCONT)
    resumed = time.monotonic()
    assert await role(first) != "leading", "not before it has looked at its claim"
    assert await level(pair) is second, "the one that stood still stands by"
    assert time.monotonic() - resumed < 20
    since_takeover = [one for at, one in commands.obeyed if at > stopped + took_s]
    assert set(since_takeover) == {term + 1}
    assert not double_booked(pair)
    await all_served(pair, phases.customers())


async def test_the_switch_refuses_what_an_old_leader_still_sends(pair: Floor) -> None:
    """The last line of the fence: a command on its way when the lead changed, as bytes in a socket."""
    first = await level(pair)
    guard = pair.model.globals["trunkline_term"]
    await pair.make_ready(TALKER)
    talking = await pair.talk(TALKER)
    link = next(link for link in pair.event_socket.links if link.authenticated)
    first.kill()
    await pair.until(lambda: f"trunkline_fenced_{guard}" in pair.model.globals)
    for command in (f"expand uuid_kill ${{trunkline_fenced_{guard}}}{talking.uuid}",
                    f"expand expand ${{trunkline_fenced_{guard}}}uuid_kill {talking.uuid}"):  # fmt: skip
        link._api(None, command)  # type: ignore[arg-type]
    assert talking.alive
    link._api(None, f"expand uuid_kill ${{trunkline_fenced_no_such_term}}{talking.uuid}")  # type: ignore[arg-type]
    assert not talking.alive, "the same command of a leader is obeyed"


async def test_rolling_restart_there_and_back(pair: Floor) -> None:
    first = await level(pair)
    second = other(pair, first)
    phases = Phases(pair)
    await phases.build()
    ids = ids_of(pair)
    began = time.monotonic()
    await asyncio.to_thread(step_down, pair)
    assert await role(second) == "leading"
    print(f"handed over within {time.monotonic() - began:.2f} s, the command's own start included")
    await follows(pair, second)
    await same_calls(pair, phases.customers(), ids)
    assert await level(pair) is second, "the one that stepped down stands by, in the same process"
    assert first.process is not None and first.process.poll() is None

    began = time.monotonic()
    stopping = asyncio.create_task(asyncio.to_thread(second.stop))  # as `systemctl restart` does
    await leads(first)
    took_s = time.monotonic() - began
    print(f"handed over after SIGTERM in {took_s:.2f} s")
    assert took_s < TAKEOVER_S
    assert await stopping == 0
    await follows(pair, first)
    await same_calls(pair, phases.customers(), ids)
    assert phases.talking.peer is not None
    await all_served(pair, phases.customers())


def step_down(floor: Floor) -> None:
    floor.engine.manage("engine", "step-down")


async def test_a_standby_that_dies_or_a_link_that_flaps_changes_no_leader(pair: Floor) -> None:
    first = await level(pair)
    term = pair.model.globals["trunkline_term"]
    waiting = pair.place_call()
    await pair.call_in(waiting, CallState.WAITING)
    other(pair, first).kill()
    await pair.make_ready(TALKER)
    await pair.until(lambda: pair.pick_up(TALKER))
    await pair.call_in(waiting, CallState.TALKING)
    other(pair, first).start()
    await level(pair)
    for _ in range(3):
        pair.event_socket.drop_link(700)
        await asyncio.sleep(1.2)
    await asyncio.sleep(UNTOUCHED_S)
    assert await level(pair) is first
    assert pair.model.globals["trunkline_term"] == term
    assert waiting.alive and waiting.peer is not None
    refused = await asyncio.to_thread(other(pair, first).post, "/inputs", b"[]")
    assert refused[0] == 503 and refused[1]["standby"] is True


async def test_a_request_during_the_takeover_is_carried_out_once(pair: Floor) -> None:
    first = await level(pair)
    first.kill()
    await pair.ask(e.AgentSignedIn, TALKER)  # sent into the gap: it waits for whoever leads next
    await leads(other(pair, first))
    await pair.until(lambda: pair.page.reachable and pair.agent_state(TALKER) is not AgentState.LOGGED_OUT, 20)


async def test_without_a_second_engine_the_lead_stays(pair: Floor) -> None:
    first = await level(pair)
    other(pair, first).kill()
    await pair.until(lambda: not first.health()["standbys"], 10)
    with pytest.raises(AssertionError, match="no other engine"):
        await asyncio.to_thread(step_down, pair)
    assert await role(first) == "leading"
