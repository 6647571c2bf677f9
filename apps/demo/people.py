"""Simulated agents: they sign in, answer, wrap up and take breaks through the engine's door, as a person does.

``python -m apps.demo.people --agents 7,8,9 --seed 1``. They decide by the state the engine shows, nothing else, so an
engine that restarts finds them where they were.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from apps.core import events
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.agents.reach import lacks_media
from apps.core.facts import Fact
from apps.core.ids import AgentId
from apps.core.state import State
from apps.live.engine_client import EngineClient, EngineRefused, EngineUnreachable

log = structlog.get_logger(__name__)

LOOK_S = 0.2
NOTES = ("已解答客户问题", "客户要求回电", "Asked about an invoice", "已登记地址变更", "Explained the tariff", "")
BREAK_CHANCE = 0.12


@dataclass(slots=True)
class Person:
    """``plan`` is what they are about to do, made when their state changed."""

    agent: AgentId
    seen: tuple[Any, ...] = ()
    plan: list[tuple[float, type[events.AgentRequest], dict[str, Any]]] = field(default_factory=list)


class People:
    def __init__(self, agents: Sequence[str], seed: int, clock: Callable[[], float]) -> None:
        self._people = [Person(AgentId(agent)) for agent in agents]
        self._rng = random.Random(f"{seed}/people")
        self._clock = clock

    def due(self, state: State) -> list[events.Request]:
        """What they do now."""
        now_s = self._clock()
        requests: list[events.Request] = []
        for person in self._people:
            agent = state.agents.get(person.agent)
            if agent is None:
                continue
            seen = (agent.state, agent.since_ms, agent.call, agent.reason, agent.media_ready)
            if seen != person.seen:
                person.seen = seen
                person.plan = [(now_s + after_s, *what) for after_s, *what in self._intend(agent, state)]  # type: ignore[misc]
            requests += self._act(person, agent, now_s)
        return requests

    def _act(self, person: Person, agent: Agent, now_s: float) -> list[events.Request]:
        due = [step for step in person.plan if step[0] <= now_s]
        person.plan = [step for step in person.plan if step[0] > now_s]
        common: dict[str, Any] = {"tenant": agent.tenant, "agent": agent.id, "actor": "simulated"}
        return [kind(**common, cmd_id=f"sim-{secrets.token_hex(8)}", **fields) for _, kind, fields in due]

    def _intend(self, agent: Agent, state: State) -> list[tuple[float, type[events.AgentRequest], dict[str, Any]]]:
        """Seconds from now, what, and its fields."""
        span = self._rng.uniform
        match agent.state:
            case AgentState.LOGGED_OUT:
                return [(span(0.5, 6), events.AgentSignedIn, {})]
            case AgentState.PAUSED | AgentState.READY | AgentState.NOT_RESPONDING if _lacks_media(agent, state):
                return [(0.0, events.MediaReady, {"ready": True, "epoch": agent.media_epoch})]
            case AgentState.PAUSED:
                long = agent.reason not in ("login", "")
                return [(span(15, 60) if long else span(1, 4), events.AgentWentReady, {})]
            case AgentState.NOT_RESPONDING:
                return [(span(3, 8), events.AgentWentReady, {})]
            case AgentState.DISCONNECTED:
                return [(span(0.5, 2), events.AgentConnectionRestored, {})]
            case AgentState.OFFERED if self._rng.random() < 0.97:
                acknowledged = (0.0, events.OfferAcknowledged, {"call": agent.call, "live": True})
                return [acknowledged, (span(0.8, 4), events.AnswerRequested, {"call": agent.call})]
            case AgentState.TALKING if self._rng.random() < 0.15:
                return [(span(4, 15), events.HoldRequested, {"call": agent.call})]
            case AgentState.HOLDING:
                return [(span(4, 14), events.ResumeRequested, {"call": agent.call})]
            case AgentState.WRAP_UP:
                return self._wrap_up(agent, state)
        return []

    def _wrap_up(self, agent: Agent, state: State) -> list[tuple[float, type[events.AgentRequest], dict[str, Any]]]:
        tenant = state.config.tenants[agent.tenant]
        steps: list[tuple[float, type[events.AgentRequest], dict[str, Any]]] = []
        if tenant.pause_reasons and self._rng.random() < BREAK_CHANCE:
            steps.append((0.5, events.AgentPaused, {"reason": self._rng.choice(tenant.pause_reasons)}))
        if tenant.dispositions:
            result = {"disposition": self._rng.choice(tenant.dispositions), "note": self._rng.choice(NOTES)}
            steps.append((self._rng.uniform(3, 12), events.WrapUpFinished, {"call": agent.call, **result}))
        return steps


def _lacks_media(agent: Agent, state: State) -> bool:
    config = state.config.agents.get(agent.id)
    return config is not None and config.device is not None and lacks_media(agent, config.device)


async def work(client: EngineClient, people: People) -> None:
    """For ever. What the engine does not take is tried again when the state is looked at next."""
    while True:
        await asyncio.sleep(LOOK_S)
        if client.state is None or not client.reachable:
            continue
        requests = people.due(client.state)
        if not requests:
            continue
        try:
            await client.send(requests)
        except (EngineUnreachable, EngineRefused) as error:
            log.warning("people_not_heard", error=str(error))


def _ignore(facts: Sequence[Fact] | None) -> None:
    """The state is looked at, not listened to."""


async def main(agents: Sequence[str], seed: int) -> None:
    from apps.config.env import env

    loop = asyncio.get_running_loop()
    client = EngineClient(env.engine_url, env.engine_token, _ignore)
    tasks: list[asyncio.Task[None]] = [
        asyncio.create_task(client.run()),
        asyncio.create_task(work(client, People(agents, seed, loop.time))),
    ]
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    waiting: asyncio.Task[Any] = asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done - {waiting}:
        task.result()  # a task that ended by itself ended by an error: show it


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", required=True, help="agent ids, comma separated")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.agents.split(","), chosen.seed))
