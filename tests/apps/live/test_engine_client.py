"""The copy of the engine's state in the web process: exact, and renewed after every kind of break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from apps.core import events
from apps.core import facts as f
from apps.live.engine_client import EngineClient, EngineUnreachable
from tests.apps.live.centre import START_MS
from tests.apps.live.door import TOKEN, Engine, running, until
from tests.ports import free_port


def ready(agent: str, at_ms: int = START_MS + 1) -> f.Fact:
    return f.AgentStateChanged(at_ms=at_ms, tenant=agent[0], agent=agent, state="READY", prior="PAUSED")


@asynccontextmanager
async def following(engine: Engine, token: str = TOKEN) -> AsyncIterator[EngineClient]:
    client = EngineClient(engine.url, token, lambda facts: None)
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def same(client: EngineClient, engine: Engine) -> bool:
    return client.reachable and client.state is not None and client.state.to_data() == engine.state.to_data()


async def test_the_copy_follows_fact_by_fact() -> None:
    async with running() as engine, following(engine) as client:
        await until(lambda: same(client, engine), "the snapshot")
        engine.say(*[ready(agent) for agent in ("10", "11", "20")])
        await until(lambda: same(client, engine), "three facts")
        assert client.seq == 13
        assert abs(client.now_ms() - engine.now_ms) < 5_000


async def test_an_engine_that_comes_back_with_another_epoch_is_taken_anew() -> None:
    async with running() as engine, following(engine) as client:
        await until(lambda: same(client, engine), "the snapshot")
        port = engine.door.port
        await engine.door.stop()
        await until(lambda: not client.reachable, "the engine is seen to be away")
        assert client.state is not None, "the last state stays"
        await until(lambda: client.age_s > 0.5, "its age grows")
        async with running(epoch="e2", port=port) as successor:
            successor.say(ready("12"))
            await until(lambda: same(client, successor), "the new engine's state")
            assert client.epoch == "e2"


async def test_an_engine_that_was_never_there_is_awaited_and_only_one_that_was_is_lost() -> None:
    port = free_port()
    client = EngineClient(f"http://127.0.0.1:{port}", TOKEN, lambda facts: None)
    with capture_logs() as logs:
        task = asyncio.create_task(client.run())
        await until(lambda: logs, "it has tried")
        async with running(port=port) as engine:
            await until(lambda: same(client, engine), "the snapshot")
        await until(lambda: not client.reachable, "the engine is seen to be away")
        await until(lambda: logs[-1]["event"] not in ("engine_line_up", "door_open"), "it has said so")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    said = [entry["event"] for entry in logs if entry["log_level"] != "debug" and entry["event"] != "door_open"]
    assert said == ["engine_awaited", "engine_line_up", "engine_line_lost"]


async def test_a_gap_or_a_fact_of_a_newer_engine_leads_to_a_new_snapshot() -> None:
    async with running() as engine, following(engine) as client:
        await until(lambda: same(client, engine), "the snapshot")
        engine.state.apply(ready("10"))
        engine._seq += 5  # five facts that nobody gets to see
        engine.say(ready("11"))
        await until(lambda: same(client, engine), "the state after the gap")


@pytest.mark.parametrize("snapshot", [b"{}", b"[]", b"5", b'{"state": {}}', b'{"state": {"calls": 5}}', b"\xff"])
async def test_a_door_that_talks_nonsense_is_tried_again_until_it_makes_sense(
    monkeypatch: pytest.MonkeyPatch, snapshot: bytes
) -> None:
    async with running() as engine:
        with monkeypatch.context() as nonsense:
            nonsense.setattr(engine.door, "_new_snapshot", lambda: snapshot)
            client = EngineClient(engine.url, TOKEN, lambda facts: None)
            task = asyncio.create_task(client.run())
            await until(lambda: engine.door._snapshot, "it was asked")
            await asyncio.wait({task}, timeout=0.2)
            assert not task.done() and not client.reachable
        engine.door._snapshot = None
        await until(lambda: same(client, engine), "the real state")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_wrong_token_and_a_dead_door_are_unreachable() -> None:
    request = events.AgentWentReady(tenant="1", agent="10", actor="x", cmd_id="c1")
    async with running() as engine:
        async with following(engine, token="wrong") as client:
            with pytest.raises(EngineUnreachable):
                await client.send([request])
            assert client.state is None
        async with following(engine) as client:
            await client.send([request])
            await until(lambda: engine.asked == [request], "the request")
            engine.door.leading = False
            with pytest.raises(EngineUnreachable):
                await client.send([request])
            await engine.door.stop()
            with pytest.raises(EngineUnreachable):
                await client.send([request])
