from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest

from apps.core.codec import encode
from apps.core.events import AgentWentReady, CallArrived, WrapUpFinished
from apps.core.facts import Fact
from apps.core.ids import AgentId, CallId, LegId, SwitchId, TenantId
from apps.core.state import State
from apps.engine import door as door_module
from apps.engine.door import LARGEST_BODY, Backing, BadInput, Door, read_inputs
from apps.engine.feed import Feed
from tests.engine.rig import Host, arrival, note, until

TOKEN = "right"


DIAL = {"type": "DialRequested", "tenant": "1", "cmd_id": "c1", "actor": "wang", "agent": "7", "number": "10086"}


def ready(cmd_id: str = "c1") -> AgentWentReady:
    return AgentWentReady(tenant=TenantId("1"), cmd_id=cmd_id, actor="wang", agent=AgentId("7"))


def backing(host: Host) -> Backing:
    return Backing(
        inbox=host.runner.inbox,
        feed=host.feed,
        metrics=host.runner.metrics,
        now_ms=host.runner.clock.now_ms,
        state=lambda: host.core.state,
        refresh_metrics=lambda: host.runner.metrics.count_state(host.core.state),
        health=lambda: (not host.dispatch.closed_for, {"status": "ok"}),
    )


@pytest.fixture
async def door(host: Host) -> AsyncIterator[Door]:
    opened = Door(backing(host), host="127.0.0.1", port=0, token=TOKEN)
    await opened.start()
    opened.leading = True
    yield opened
    await opened.stop()


@pytest.fixture
async def web(door: Door) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{door.port}", headers=headers) as session:
        yield session


async def post(web: aiohttp.ClientSession, data: Any) -> tuple[int, dict[str, Any]]:
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    async with web.post("/inputs", data=body) as reply:
        return reply.status, await reply.json()


# --- who may come in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [None, "Bearer wrong", "Bearer ", "right", "Basic right", "Bearer right2", "Bearer \xe9"]
)
@pytest.mark.parametrize("path", ["/snapshot", "/facts?after=0", "/nothing"])
async def test_without_the_token_nothing_is_told(door: Door, given: str | None, path: str) -> None:
    headers = {"Authorization": given} if given is not None else {}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{door.port}") as session:
        async with session.get(path, headers=headers) as reply:
            assert reply.status == 401
        async with session.post("/inputs", data=orjson.dumps(encode(ready())), headers=headers) as reply:
            assert reply.status == 401


async def test_a_door_without_a_token_does_not_open(host: Host) -> None:
    with pytest.raises(ValueError, match="ENGINE_TOKEN"):
        Door(backing(host), host="127.0.0.1", port=0, token="")


# --- inputs -----------------------------------------------------------------------------------------------------------


async def test_requests_are_taken_and_their_outcome_is_a_fact(host: Host, web: aiohttp.ClientSession) -> None:
    assert await post(web, encode(ready("a"))) == (202, {"cmd_ids": ["a"]})
    assert await post(web, [encode(ready("b")), encode(ready("c"))]) == (202, {"cmd_ids": ["b", "c"]})
    await until(lambda: {"a", "b", "c"} <= host.core.state.requests.keys())


async def test_a_repeated_request_is_taken_and_decided_once(host: Host, web: aiohttp.ClientSession) -> None:
    for _ in range(3):
        assert (await post(web, encode(ready("same"))))[0] == 202
    await until(lambda: "same" in host.core.state.requests)
    await until(lambda: not len(host.runner.inbox))
    answers = [orjson.loads(item) for item in host.feed.read(0) if b'"cmd_id":"same"' in item]
    assert {(answer["type"], answer["code"]) for answer in answers} == {("RequestRefused", "not_found")}
    assert len(host.core.state.requests) == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", ""),
        (b"{", ""),
        (b"\xff\xfe", ""),
        (b"null", ""),
        (b"[]", ""),
        (b"[" * 3000, ""),
        (b'"AgentWentReady"', ""),
        ({"type": "Nonsense"}, ""),
        ({"type": 7}, ""),
        (b'{"type":' + b"[" * 1000 + b"]" * 1000 + b"}", ""),
        (b'{"type":"' + b"n" * 200_000 + b'"}', ""),
        ({}, ""),
        ({"type": "AgentRequest", "tenant": "1", "cmd_id": "x", "actor": "a", "agent": "1"}, ""),
        ({**encode(ready()), "more": 1}, "AgentWentReady"),
        ({"type": "AgentWentReady", "tenant": "1"}, "AgentWentReady"),
        ({**encode(ready()), "tenant": 1}, "AgentWentReady.tenant"),
        ({**encode(ready()), "cmd_id": ""}, "AgentWentReady.cmd_id"),
        ({**encode(ready()), "cmd_id": "x" * 65}, "AgentWentReady.cmd_id"),
        ({**encode(ready()), "cmd_id": "a\nb"}, "AgentWentReady.cmd_id"),
        ({**encode(ready()), "actor": "a\x00b"}, "AgentWentReady.actor"),
        ({**DIAL, "attached": {"a": "b\x00"}}, "DialRequested.attached"),
        ({**DIAL, "attached": {"a\x00": "b"}}, "DialRequested.attached"),
        ({**DIAL, "attached": {"a": 1}}, "DialRequested.attached.a"),
        ([encode(ready()), {"type": "Nonsense"}], "[1]"),
    ],
)
async def test_what_is_no_request_is_refused_whole_with_the_place(
    host: Host, web: aiohttp.ClientSession, body: Any, path: str
) -> None:
    status, reply = await post(web, body)
    assert (status, reply["path"]) == (400, path)
    assert 0 < len(reply["error"]) < 400
    assert not host.core.state.requests


@pytest.mark.parametrize(
    "event",
    [
        CallArrived(switch=SwitchId("1"), leg=LegId("x"), did="1", caller_number="2"),
        note(1),
    ],
)
async def test_events_of_a_switch_and_facts_are_refused(web: aiohttp.ClientSession, event: Any) -> None:
    status, reply = await post(web, encode(event))
    assert status == 400
    assert "is not a request" in reply["error"]


async def test_a_huge_body_is_refused_before_it_is_read(web: aiohttp.ClientSession) -> None:
    status, _ = await post(web, b"[" + b" " * LARGEST_BODY + b"]")
    assert status == 413


async def test_too_many_at_once_are_refused(web: aiohttp.ClientSession) -> None:
    status, reply = await post(web, [encode(ready(str(n))) for n in range(501)])
    assert status == 400
    assert "at a time" in reply["error"]


async def test_an_engine_that_does_not_lead_takes_nothing(door: Door, web: aiohttp.ClientSession) -> None:
    door.leading = False
    assert (await post(web, encode(ready())))[0] == 503


async def test_one_that_does_not_know_whether_it_leads_takes_nothing_and_tells_only_its_standby(host: Host) -> None:
    sure = False
    opened = Door(replace(backing(host), may_act=lambda: sure), host="127.0.0.1", port=0, token=TOKEN)
    await opened.start()
    opened.leading = True
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{opened.port}", headers=headers) as web:
        assert (await post(web, encode(ready())))[0] == 503
        for path, status in (
            ("/snapshot", 503),
            ("/facts?after=0", 503),
            ("/snapshot?standby=2", 200),
            ("/health", 200),
        ):
            async with web.get(path) as reply:
                assert reply.status == status, path
        sure = True
        assert (await post(web, encode(ready())))[0] == 202
    await opened.stop()


async def test_an_engine_that_is_behind_says_so(host: Host, web: aiohttp.ClientSession) -> None:
    host.runner.inbox._capacity = 0
    assert (await post(web, encode(ready())))[0] == 503


def test_every_string_of_every_request_is_looked_at() -> None:
    request = WrapUpFinished(
        tenant=TenantId("1"), cmd_id="c", actor="a", agent=AgentId("1"), call=CallId("c"), disposition="d", note="n\x00"
    )
    with pytest.raises(BadInput) as caught:
        read_inputs(orjson.dumps(encode(request)))
    assert caught.value.path == "WrapUpFinished.note"


# --- snapshot, health, metrics ----------------------------------------------------------------------------------------


async def test_a_snapshot_and_the_facts_after_it_give_the_living_state(host: Host, web: aiohttp.ClientSession) -> None:
    host.emit(arrival("leg-1"))
    await until(lambda: host.core.state.calls)
    async with web.get("/snapshot") as reply:
        data = await reply.json()
    assert data["epoch"] == host.journal.epoch
    state = State.from_data(data["state"])
    assert state.to_data() == host.core.state.to_data()
    assert data["seq"] == host.feed.seq


async def test_health_and_metrics_need_no_token(host: Host, door: Door) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{door.port}") as session:
        async with session.get("/health") as reply:
            assert reply.status == 200
        host.dispatch.close_gate("disk")
        async with session.get("/health") as reply:
            assert reply.status == 503
        host.emit(arrival("leg-1"))
        await until(lambda: host.core.state.calls)
        async with session.get("/metrics") as reply:
            text = await reply.text()
    assert 'trunkline_events_total{type="CallArrived"} 1.0' in text
    assert "trunkline_decision_seconds_bucket" in text
    assert 'trunkline_calls{state="' in text


# --- facts ------------------------------------------------------------------------------------------------------------


async def frames(socket: aiohttp.ClientWebSocketResponse, until_seq: int) -> list[dict[str, Any]]:
    """Facts up to this one."""
    facts: list[dict[str, Any]] = []
    while not facts or facts[-1]["seq"] < until_seq:
        message = orjson.loads((await asyncio.wait_for(socket.receive_str(), 5)).encode())
        if isinstance(message, list):
            facts.extend(message)
    return facts


def publish(host: Host, count: int) -> None:
    facts: list[Fact] = [note(host.runner.clock.now_ms(), str(n)) for n in range(count)]
    host.runner.record(facts)


async def test_the_stream_begins_with_where_it_is_and_beats(host: Host, web: aiohttp.ClientSession) -> None:
    publish(host, 3)
    async with web.ws_connect(f"/facts?after=3&epoch={host.journal.epoch}") as socket:
        hello = orjson.loads(await socket.receive_str())
        assert hello["hello"] is True
        assert (hello["epoch"], hello["seq"]) == (host.journal.epoch, 3)
        beat = orjson.loads(await asyncio.wait_for(socket.receive_str(), 3))
        assert (beat["heartbeat"], beat["seq"]) == (True, 3)
        assert abs(beat["now_ms"] - host.runner.clock.now_ms()) < 2_000


async def test_a_follower_who_comes_back_misses_nothing_and_gets_nothing_twice(
    host: Host, web: aiohttp.ClientSession
) -> None:
    publish(host, 1_200)
    async with web.ws_connect("/facts?after=0") as socket:
        first = await frames(socket, 1_200)
    publish(host, 50)
    async with web.ws_connect("/facts?after=1200") as socket:
        publish(host, 50)
        second = await frames(socket, 1_300)
    assert [fact["seq"] for fact in first + second] == list(range(1, 1_301))
    assert all(fact["type"] == "Anomaly" and "at_ms" in fact for fact in first)


@pytest.mark.parametrize("query", ["after=0", "after=10&epoch=other", "after=999"])
async def test_who_cannot_go_on_is_told_to_take_a_snapshot(host: Host, web: aiohttp.ClientSession, query: str) -> None:
    host.feed._kept_facts = 5
    publish(host, 10)
    async with web.ws_connect(f"/facts?{query}") as socket:
        assert orjson.loads(await socket.receive_str()) == {"resync": True}
        await socket.receive()
        assert socket.close_code == 4000


@pytest.mark.parametrize("after", ["", "-1", "x", "1e9", "9" * 40, "%00", "１"])
async def test_a_place_that_is_no_number_is_refused(web: aiohttp.ClientSession, after: str) -> None:
    async with web.get(f"/facts?after={after}") as reply:
        assert reply.status == 400


async def test_what_a_follower_says_is_not_heard(host: Host, web: aiohttp.ClientSession) -> None:
    async with web.ws_connect("/facts?after=0") as socket:
        await socket.send_str(orjson.dumps(encode(ready())).decode())
        publish(host, 1)
        assert (await frames(socket, 1))[0]["seq"] == 1
    assert not host.core.state.requests


async def test_a_follower_who_does_not_read_is_cut_off_and_holds_up_nobody(
    host: Host, door: Door, web: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "SLOW_READER_S", 1.0)
    with socket.create_connection(("127.0.0.1", door.port)) as deaf:
        deaf.sendall(
            b"GET /facts?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await until(lambda: len(door._followers) == 1)
        async with web.ws_connect("/facts?after=0") as socket_of_other:
            reading = asyncio.create_task(frames(socket_of_other, 2_000))
            big = "x" * 10_000
            for _ in range(40):
                host.runner.record([note(1, big) for _ in range(50)])
                await asyncio.sleep(0)
            assert len(await reading) == 2_000
            await until(lambda: len(door._followers) == 1)


async def test_a_deaf_ring_reader_is_told_to_resync(host: Host) -> None:
    feed = Feed("e", 0, kept_facts=10)
    publish(host, 1)
    assert feed.can_follow("e", 0)
    assert not feed.can_follow("e", 1)


async def test_followers_are_told_when_the_engine_stops(host: Host, door: Door, web: aiohttp.ClientSession) -> None:
    async with web.ws_connect("/facts?after=0") as socket_:
        await socket_.receive_str()
        stopping = asyncio.create_task(door.stop())
        while not socket_.closed:
            await socket_.receive()
        assert socket_.close_code == 1001
        await stopping
