"""Two switches under two engines: one leader for both, and each switch goes on while the other is out of reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from apps.core.ids import CallId, SwitchId
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.phones import Answering, PhoneBehaviour
from tests.engine.floor import ENGLISH_SERVICE, Floor
from tests.engine.simulated import SimulatedSwitch
from tests.engine.test_standby import follows, ids_of, leads, level, other, role, same_calls

HERE, THERE = "1001", "1003"  # agents of the same queue, each with a telephone on another switch
FOR_GOOD_MS = 10**9


class TwoSwitches(Floor):
    """``second`` has a copy of the first one's trunk and numbers, and the telephone of ``THERE``."""

    def __init__(self, directory: Path, database: str) -> None:
        super().__init__(directory, database, engines=2)
        self.second = SimulatedSwitch(2, seed=1)
        with psycopg.connect(self.database) as connection:
            self.first_id, self.second_id = self._add(connection)

    def _add(self, connection: psycopg.Connection[tuple[int]]) -> tuple[SwitchId, SwitchId]:
        (first,) = connection.execute("SELECT min(id) FROM telephony_switch").fetchone() or (0,)
        second = first + 1000
        changes = {"id": second, "name": "second", "event_socket_port": self.second.port}
        _copy(connection, "telephony_switch", changes | {"arrival_hosts": self.second.arrivals})
        for table in ("telephony_trunk", "telephony_did"):
            _copy(connection, table, {"switch_id": second})
        connection.execute(
            "UPDATE telephony_sipaccount SET switch_id = %s"
            " WHERE id = (SELECT sip_account_id FROM agents_agent WHERE number = %s)", [second, THERE],
        )  # fmt: skip
        return SwitchId(str(first)), SwitchId(str(second))

    async def start(self) -> None:
        address = self.rows(
            "SELECT username FROM telephony_sipaccount WHERE switch_id = %s", int(self.second_id)
        )[0][0]  # fmt: skip
        self.second.phones.add(address, PhoneBehaviour(answering=Answering.TOLD))
        await self.second.event_socket.start()
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        await self.second.event_socket.stop()

    def up(self, switch: SwitchId) -> bool:
        return switch in self.state.switches and self.state.switches[switch].up

    async def talks_with(self, agent: str, caller: Channel) -> None:
        switch = self.second if agent == THERE else self.switch
        await self.until(lambda: switch.pick_up(self.phone(agent)))
        await self.call_in(caller, CallState.TALKING)
        assert caller.peer is not None and caller.peer.phone == self.phone(agent)


def _copy(connection: psycopg.Connection[tuple[int]], table: str, changes: dict[str, object]) -> None:
    """Each row once more, with other values."""
    connection.execute(
        f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table},"
        f" to_jsonb(one) || jsonb_build_object('id', one.id + 1000) || %s)).* FROM {table} one",
        [Jsonb(changes)],
    )


@pytest.fixture
async def two(tmp_path: Path, database: str) -> AsyncIterator[TwoSwitches]:
    running = TwoSwitches(tmp_path, database)
    try:
        await running.start()
        await level(running)
        await running.until(lambda: running.up(running.first_id) and running.up(running.second_id))
        yield running
    finally:
        await running.stop()


async def test_the_leader_dies_then_one_switch_goes_away_and_then_the_other(two: TwoSwitches) -> None:
    first = await level(two)
    await two.make_ready(HERE, THERE)
    talking = [switch.place_call(ENGLISH_SERVICE) for switch in (two.switch, two.second)]
    for agent, caller in zip((HERE, THERE), talking, strict=True):
        await two.talks_with(agent, caller)
    waiting = [switch.place_call(ENGLISH_SERVICE) for switch in (two.switch, two.second)]
    for caller in waiting:
        await two.call_in(caller, CallState.WAITING)
    ids = ids_of(two)

    first.kill()
    second = other(two, first)
    await leads(second)
    await follows(two, second)
    await two.until(lambda: two.up(two.first_id) and two.up(two.second_id))
    await same_calls(two, [*talking, *waiting], ids)
    assert all(caller.peer is not None for caller in talking), "talks are not touched"
    first.start()

    two.second.event_socket.drop_link(FOR_GOOD_MS)
    await two.until(lambda: not two.up(two.second_id))
    two.hang_up(talking[0])
    await two.finish_wrap_up(HERE, CallId(ids[talking[0].uuid]))
    await two.talks_with(HERE, waiting[0])
    assert talking[1].peer is not None and waiting[1].alive
    two.second.hang_up(talking[1])  # nobody hears of it
    two.second.event_socket.link_dropped = False
    await two.until(lambda: two.up(two.second_id))
    await two.until(lambda: two.agent_state(THERE) is AgentState.WRAP_UP)
    await two.finish_wrap_up(THERE, CallId(ids[talking[1].uuid]))
    await two.talks_with(THERE, waiting[1])

    assert await level(two) is second
    two.event_socket.drop_link(FOR_GOOD_MS)  # this one decides who leads
    await two.until(lambda: not two.up(two.first_id))
    late = two.second.place_call(ENGLISH_SERVICE)
    await two.call_in(late, CallState.WAITING)
    assert await role(second) == "leading" and waiting[0].peer is not None
    two.event_socket.link_dropped = False
    await two.until(lambda: two.up(two.first_id))
    assert await role(first) == "standing_by"

    two.hang_up(waiting[0])
    two.second.hang_up(waiting[1])
    two.second.hang_up(late)
    await two.until(lambda: not two.state.calls)
    await two.recorded()
    outcomes = [row[0] for row in two.rows("SELECT outcome FROM calls_call ORDER BY started_at")]
    assert outcomes == ["served"] * 4 + ["abandoned"]
    assert two.rows("SELECT count(*) FROM calls_leg WHERE ended_at IS NULL") == [(0,)]
    assert two.rows("SELECT switch_id, count(*) FROM calls_call GROUP BY 1 ORDER BY 1") == [
        (int(two.first_id), 2), (int(two.second_id), 3),
    ]  # fmt: skip
