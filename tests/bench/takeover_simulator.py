"""The storm on the simulator: its own word on who hung up on whom, and on what it was told by which term."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from apps.core import events as e
from apps.core.agents.machine import AgentState
from apps.core.config import AgentConfig
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.people import CallerPlan
from apps.switches.simulator.phones import Answering, PhoneBehaviour
from tests.bench.takeover import Outcome
from tests.engine.floor import EngineUnderTest, Floor, database_url, manage
from tests.engine.simulated import GATEWAY

DID = "4000000001"
AGENTS_PER_CALL = 6  # a second: each rings, talks and returns within 5 s or so
LEVEL_S = 90.0
DRAIN_S = 120.0
_COMMAND = re.compile(r"\$\{trunkline_fenced_(\d+)_\w+?\}")
_KILL = re.compile(r"expand uuid_kill \$\{(trunkline_fenced_\w+)\}(\S+)")

Say = Callable[[str], object]


class Auditor:
    """Hears what the switch does, and judges it without asking an engine."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.first_command: dict[int, float] = {}
        self.killed: set[str] = set()
        self.talked: set[str] = set()
        self.callers: set[str] = set()
        self.outcome = Outcome()
        floor.event_socket.on_command = self._commanded
        floor.model.listeners.append(self._happened)

    def _commanded(self, command: str) -> None:
        for guard in _COMMAND.finditer(command):
            if guard.group(0)[2:-1] not in self.floor.model.globals:
                self.first_command.setdefault(int(guard.group(1)), time.monotonic())
        if (kill := _KILL.match(command)) and kill.group(1) not in self.floor.model.globals:
            self.killed.add(kill.group(2))

    def _happened(self, name: str, channel: Channel | None, headers: dict[str, str]) -> None:
        if channel is None:
            return
        if name == "CHANNEL_CREATE" and channel.direction == "inbound":
            self.callers.add(channel.uuid)
        elif name == "CHANNEL_BRIDGE" and channel.peer is not None:
            self.talked |= {channel.uuid, channel.peer.uuid} & self.callers
            self._look_for_two_calls()
        elif name == "CHANNEL_HANGUP":
            self._ended(channel)

    def _ended(self, channel: Channel) -> None:
        by_engine = channel.uuid in self.killed
        if channel.uuid in self.callers:
            if "trunkline_fallback" in channel.variables:
                self.outcome.lost.append(f"{channel.uuid} ended in the fallback")
            elif by_engine and channel.uuid not in self.talked:
                self.outcome.lost.append(f"{channel.uuid} was hung up on by an engine, and had talked to nobody")
        elif by_engine and channel.peer is not None and channel.peer.alive and channel.peer.uuid in self.callers:
            self.outcome.lost.append(f"{channel.peer.uuid} was talking when an engine hung up the agent's telephone")

    def _look_for_two_calls(self) -> None:
        live = Counter(one.phone for one in self.floor.model.channels.values() if one.alive and one.answered)
        for phone, calls in live.items():
            if phone and calls > 1 and phone != GATEWAY:
                self.outcome.wrong.append(f"telephone {phone} in {calls} calls at once")

    def settle(self) -> Outcome:
        """What is still there counts as lost: everybody has had the time to be served."""
        stuck = [one for one in self.floor.model.channels.values() if one.alive and one.direction == "inbound"]
        self.outcome.lost += [f"{one.uuid} is stuck in {one.state} {[app.name for app in one.apps]}" for one in stuck]
        self.outcome.calls, self.outcome.talks = len(self.callers), len(self.talked)
        return self.outcome


class Callers:
    """So many a second, evenly; each presses a key, waits as long as it takes, talks and hangs up."""

    def __init__(self, floor: Floor, rate: float, chance: random.Random) -> None:
        self._floor, self._rate, self._chance = floor, rate, chance
        self._task = asyncio.create_task(self._call())

    async def _call(self) -> None:
        count, began_s = 0, time.monotonic()
        while True:
            count += 1
            plan = CallerPlan(
                number=f"139{count:08d}", did=DID, trunk=GATEWAY, keys="1", reaction_ms=300, patience_ms=None,
                talk_ms=self._chance.randint(1_500, 3_500),
            )  # fmt: skip
            self._floor.event_socket.time.catch_up()
            self._floor.switch.callers.place(plan)
            self._floor.event_socket.time.catch_up()
            await asyncio.sleep(max(0.0, began_s + count / self._rate - time.monotonic()))

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def prepare(server: str, agents: int) -> str:
    """A database with the story and the benchmark's queue, menu and agents; its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE takeover")
    url = database_url(server, "takeover")
    manage(url, "migrate", "--verbosity", "0")
    manage(url, "load_story")
    code = f"from tests.bench.acd_rows import prepare, without_voices; prepare({agents}, {DID!r}); without_voices()"
    manage(url, "shell", "-v", "0", "-c", code)
    return url


async def run(
    directory: Path, server: str, *, kills: int, rate: float, seed: int, say: Say, at_most_s: float = 3600.0
) -> Outcome:
    chance = random.Random(seed)
    agents = max(4, int(rate * AGENTS_PER_CALL))
    floor = Floor(directory, await asyncio.to_thread(prepare, server, agents), engines=2)
    floor.phones.outside = PhoneBehaviour(answering=Answering.AUTO, delay_ms=(200, 600))
    try:
        await floor.start()
        await make_ready(floor, agents)
        auditor = Auditor(floor)
        callers = Callers(floor, rate, chance)
        until_s = time.monotonic() + at_most_s
        for number in range(1, kills + 1):
            if time.monotonic() > until_s:
                break
            took_s = await kill_one(floor, auditor, chance)
            auditor.outcome.takeovers_s.append(took_s)
            lost, there = auditor.outcome.lost, len(floor.model.channels)
            said = f"{there:4} channels  lost {len(lost)} of {len(auditor.callers)}"
            say(" ".join([f"kill {number:3}  {took_s:.2f} s ", said, *lost[-1:]]))
        await level(floor)
        await callers.stop()
        await drained(floor)
        outcome = auditor.settle()
        outcome.wrong += [f"no end in history of {call}" for call in await unended(floor)]
        outcome.begun_anew = floor.rows("SELECT count(*) FROM calls_call")[0][0] - outcome.calls
        return outcome
    finally:
        await floor.stop()


async def make_ready(floor: Floor, count: int) -> None:
    ours = [agent for agent in floor.state.config.agents.values() if agent.name.startswith("Bench ")]
    assert len(ours) == count
    for request in (e.AgentSignedIn, e.AgentWentReady):
        await floor.page.send([request(**_common(floor, agent, request.__name__)) for agent in ours])
    await floor.until(lambda: all(floor.state.agents[one.id].state is AgentState.READY for one in ours), 60)


def _common(floor: Floor, agent: AgentConfig, what: str) -> dict[str, Any]:
    return {"tenant": floor.tenant, "cmd_id": f"{what}-{agent.id}", "actor": "bench", "agent": agent.id}


async def level(floor: Floor) -> EngineUnderTest:
    """The one that leads, once the other has every fact."""
    limit = time.monotonic() + LEVEL_S
    while time.monotonic() < limit:
        for engine in floor.engines:
            health = await asyncio.to_thread(engine.health)
            if health.get("role") == "leading" and health.get("standbys"):
                return engine
        await asyncio.sleep(0.1)
    raise AssertionError(f"no pair in {LEVEL_S:.0f} s: {floor.story()}")


async def kill_one(floor: Floor, auditor: Auditor, chance: random.Random) -> float:
    """kill -9 of the leader at a random moment; seconds until the next term's first command."""
    leader = await level(floor)
    await asyncio.sleep(chance.uniform(0.2, 1.5))
    term = max(auditor.first_command, default=int(floor.model.globals["trunkline_term"].split("_")[0]))
    killed_s = time.monotonic()
    await asyncio.to_thread(leader.kill)
    await floor.until(lambda: max(auditor.first_command, default=0) > term, 60)
    leader.start()
    return auditor.first_command[max(auditor.first_command)] - killed_s


async def unended(floor: Floor) -> list[str]:
    """Calls whose end history does not get to know in time."""
    limit = time.monotonic() + LEVEL_S
    while True:
        rows = floor.rows("SELECT id FROM calls_call WHERE ended_at IS NULL")
        if not rows or time.monotonic() > limit:
            return [str(row[0]) for row in rows]
        await asyncio.sleep(0.5)


async def drained(floor: Floor) -> None:
    limit = time.monotonic() + DRAIN_S
    while time.monotonic() < limit and any(
        one.alive and one.direction == "inbound" for one in floor.model.channels.values()
    ):
        await asyncio.sleep(0.2)
