"""Who leads, by compare-and-set on a switch: the simulator's Event Socket, with the real register."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from apps.engine.leadership import CLAIM, UNSURE_STILL_S, Claim, Heard, Leadership
from apps.switches.freeswitch.register import Register
from apps.switches.simulator.event_socket import EventSocketServer
from apps.switches.simulator.model import Switch
from tests.engine.rig import until

PASSWORD = "secret"
NOBODY = Heard(alive=False, closed=True)
SOMEBODY = Heard(alive=True, holds=True)


@pytest.fixture
async def switch() -> AsyncIterator[EventSocketServer]:
    server = EventSocketServer(Switch(), password=PASSWORD)
    await server.start()
    yield server
    await server.stop()


def leadership(switch: EventSocketServer, engine: str, password: str = PASSWORD) -> Leadership:
    return Leadership(Register("127.0.0.1", switch.port, password), engine)


async def uncontested() -> str:
    return ""


async def holding(one: Leadership) -> asyncio.Task[str]:
    return asyncio.create_task(one.hold(uncontested, lambda: None))


async def test_of_two_that_start_at_once_one_leads(switch: EventSocketServer) -> None:
    both = [leadership(switch, "1"), leadership(switch, "2")]
    waiting = {asyncio.create_task(one.stand_by(lambda: NOBODY)): one for one in both}
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    winner = waiting[done.pop()]
    holds = await holding(winner)
    await asyncio.sleep(1.0)
    (other,) = others
    assert not other.done(), "a claim that is renewed is not taken"
    assert winner.sure and switch.model.globals[CLAIM] == str(winner.claim)
    holds.cancel()
    taken = await asyncio.wait_for(other, 30)
    assert winner.claim is not None and taken.term == winner.claim.term + 1
    assert waiting[other].claim.guard != winner.claim.guard  # type: ignore[union-attr]


async def test_while_the_leader_is_heard_its_claim_is_not_taken_even_if_it_stands_still(
    switch: EventSocketServer,
) -> None:
    switch.model.globals[CLAIM] = "7-1-abc-5"
    standby = leadership(switch, "2")
    heard = SOMEBODY
    waiting = asyncio.create_task(standby.stand_by(lambda: heard))
    await asyncio.sleep(1.5)
    assert not waiting.done()
    heard = Heard(alive=False)  # silent, its line still open
    assert (await asyncio.wait_for(waiting, 30)).term == 8


async def test_a_claim_that_is_given_away_is_taken_at_once(switch: EventSocketServer) -> None:
    first, second = leadership(switch, "1"), leadership(switch, "2")
    await first.stand_by(lambda: NOBODY)
    await first.vacate()
    assert Claim.read(switch.model.globals[CLAIM]).vacant  # type: ignore[union-attr]
    async with asyncio.timeout(UNSURE_STILL_S - 0.2):
        await second.stand_by(lambda: Heard(alive=True, holds=False))


async def test_who_was_superseded_is_told_by_its_next_renewal(switch: EventSocketServer) -> None:
    first = leadership(switch, "1")
    await first.stand_by(lambda: NOBODY)
    holds = await holding(first)
    await asyncio.sleep(0.3)
    switch.model.globals[CLAIM] = "9-2-other-0"
    assert "term 9 of engine 2" in await asyncio.wait_for(holds, 30)
    assert not first.sure and first.claim is None
    assert switch.model.globals[CLAIM] == "9-2-other-0", "and touches nothing"


async def test_a_switch_that_restarted_leaves_the_lead_where_it_was(switch: EventSocketServer) -> None:
    first = leadership(switch, "1")
    await first.stand_by(lambda: NOBODY)
    holds = await holding(first)
    del switch.model.globals[CLAIM]
    await until(lambda: CLAIM in switch.model.globals)
    assert not holds.done()
    held = Claim.read(switch.model.globals[CLAIM])
    assert held is not None and first.claim is not None and held.held_by(first.claim)
    holds.cancel()


async def test_out_of_reach_of_the_switch_a_leader_asks_the_others(switch: EventSocketServer) -> None:
    first = leadership(switch, "1")
    await first.stand_by(lambda: NOBODY)
    asked = 0

    async def contested() -> str:
        nonlocal asked
        asked += 1
        return "the other leads" if asked > 2 else ""

    holds = asyncio.create_task(first.hold(contested, lambda: None))
    await asyncio.sleep(0.3)
    switch.drop_link(60_000)
    await until(lambda: asked)
    await until(lambda: first.sure or asked > 2)
    assert await asyncio.wait_for(holds, 60) == "the other leads"


async def test_a_register_says_who_cannot_be_asked(switch: EventSocketServer) -> None:
    with pytest.raises(ConnectionError, match="password"):
        await Register("127.0.0.1", switch.port, "wrong").get("x")
    with pytest.raises(ConnectionError):
        await Register("127.0.0.1", 1, PASSWORD).get("x")
    register = Register("127.0.0.1", switch.port, PASSWORD)
    assert await register.get("x") == ""
    assert await register.swap("x", "", "a") == "a"
    assert await register.swap("x", "b", "c") == "a"
    assert await register.swap("x", "a", "c") == "c"
    register.close()
    assert await register.get("x") == "c", "and connects again"
