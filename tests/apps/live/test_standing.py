"""What must go on in the web process whatever else is wrong there: heartbeats, presence, answers."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import OperationalError

from apps.core import events
from apps.live import access, floor_alarms, presence
from apps.live import hub as hub_module
from apps.live.hub import hub
from apps.reports import alarm_rows
from tests.apps.live.door import Engine, until
from tests.apps.live.tabs import opened
from tests.apps.live.test_engine_client import ready

pytestmark = pytest.mark.django_db(transaction=True)


async def test_nobody_is_missed_because_the_web_process_stood_still(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual machine that was held, a loop that was busy: no page was asked, so none failed to answer."""
    monkeypatch.setattr(hub_module, "HEARTBEAT_S", 0.1)
    monkeypatch.setattr(presence, "GONE_AFTER_S", 1.0)
    engine.say(ready("10"))
    tab = await opened("/ws/agent/", "agent1")
    await until(lambda: hub().client.reachable, "the engine")

    async def answer(times: int) -> None:
        for _ in range(times):
            await tab.read("heartbeat")
            await tab.say({"type": "beat"})

    await answer(5)
    time.sleep(2)  # the loop itself stands still
    await answer(10)
    assert not [item for item in engine.asked if isinstance(item, events.AgentConnectionLost)]
    await tab.disconnect()


async def test_a_floor_that_cannot_be_shown_stops_no_heartbeat_and_no_presence(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_S", 0.1)
    monkeypatch.setattr(presence, "GONE_AFTER_S", 1.0)
    engine.say(ready("10"), ready("11"))
    tab = await opened("/ws/agent/", "agent1")
    await until(lambda: hub().client.reachable, "the engine")

    def broken(*_asked: object) -> None:
        raise KeyError("no such zone")

    monkeypatch.setattr(hub_module, "wall_view", broken)
    for _ in range(5):
        await tab.read("heartbeat")
    await until(lambda: any(isinstance(item, events.AgentConnectionLost) for item in engine.asked), "it is missed")
    await tab.disconnect()


async def test_a_database_that_is_away_refuses_a_late_result_and_keeps_the_page(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_asked: object) -> bool:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(access, "owes_result", away)
    engine.say(ready("10"))
    tab = await opened("/ws/agent/", "agent1")
    await until(lambda: hub().client.reachable, "the engine")
    late = {"action": "complete", "call": "t1-c1", "disposition": "solved", "note": ""}
    await tab.say({"type": "command", "cmd_id": "late-0001", **late})
    assert (await tab.read("outcome"))["code"] == "rejected"
    await tab.say({"type": "directory"})
    await tab.read("directory")
    await tab.disconnect()


async def test_rows_that_cannot_be_read_do_not_end_the_alarms_of_this_process(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor_alarms, "SAVE_S", 0.01)
    monkeypatch.setattr(floor_alarms, "AWAY_RETRY_S", 0.01)
    read, tried = alarm_rows.read, []

    def at_the_second_try() -> Any:
        tried.append(1)
        if len(tried) == 1:
            raise KeyError("a kind that a later version wrote")
        return read()

    monkeypatch.setattr(alarm_rows, "read", at_the_second_try)
    alarms = floor_alarms.FloorAlarms()
    await until(lambda: len(tried) > 1, "another look")
    alarms.stop()
