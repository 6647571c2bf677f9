from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path

import pytest

from apps.core.commands import AnswerLeg, Command, Destination, DestinationKind, OriginateLeg
from apps.core.config import CenterConfig
from apps.core.events import ConfigChanged, DeadlinePassed, DeviceChanged, EngineRestarted, Event, LegRole, LinkUp
from apps.core.facts import Anomaly
from apps.core.ids import CallId, LegId, SwitchId, TenantId
from apps.engine import recovery
from apps.engine.journal_reader import JournalReader
from tests.engine.rig import SWITCH, Host, arrival, until


def restarted(host: Host) -> None:
    host.runner.process([EngineRestarted(run=host.journal.new_run()), ConfigChanged(config=CenterConfig(version=1))])
    host.emit(LinkUp(switch=SWITCH, boot="b1"))


async def test_a_command_goes_out_only_after_its_facts_are_stored(host: Host) -> None:
    restarted(host)
    await until(lambda: host.driver.snapshots)
    for number in range(50):
        host.emit(arrival(f"leg-{number}"))
    await until(lambda: len(host.core.state.calls) == 50 and len(host.driver.commands) >= 50)
    calls = {}
    reader = JournalReader(host.journal.directory)
    for seq, _, data in reader.after(0, 10_000):
        if b'"CallStarted"' in data:
            leg = data.split(b'"leg":"')[1].split(b'"')[0].decode()
            calls[leg] = seq
    reader.close()
    assert len(calls) == 50
    for command, stored in zip(host.driver.commands, host.driver.stored_at_command, strict=True):
        assert stored >= calls[command.leg], "the command went out before the call was in the journal"


async def test_commands_keep_their_order(host: Host) -> None:
    restarted(host)
    host.emit(arrival("leg-1"))
    await until(lambda: host.driver.commands)
    first = [type(command).__name__ for command in host.driver.commands]
    host.emit(arrival("leg-2"))
    await until(lambda: len(host.driver.commands) >= 2 * len(first))
    assert [type(command).__name__ for command in host.driver.commands] == first * 2


async def test_what_is_in_the_journal_folds_to_the_living_state(host: Host) -> None:
    restarted(host)
    for number in range(20):
        host.emit(arrival(f"leg-{number}"))
    await until(lambda: len(host.core.state.calls) == 20)
    assert recovery.recover(host.journal).to_data() == host.core.state.to_data()


async def test_an_exception_in_the_core_costs_one_event(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    restarted(host)
    await until(lambda: host.driver.snapshots)
    real = host.core.handle

    def failing(event: Event, now_ms: int) -> list[object]:
        effects = real(event, now_ms)
        if isinstance(event, DeviceChanged):
            raise RuntimeError("bug")
        return list(effects)

    monkeypatch.setattr(host.core, "handle", failing)
    for number in range(3):
        host.emit(DeviceChanged(switch=SWITCH, address=str(number), registered=True))
        host.emit(arrival(f"leg-{number}"))
    await until(lambda: len(host.core.state.calls) == 3)
    monkeypatch.undo()
    # What the core had decided before it failed is stored too, so the journal still tells the living state.
    assert set(host.core.state.switches[SWITCH].devices) == {"0", "1", "2"}
    assert recovery.recover(host.journal).to_data() == host.core.state.to_data()
    reader = JournalReader(host.journal.directory)
    bugs = [data for _, _, data in reader.after(0, 10_000) if b"bug: RuntimeError" in data]
    reader.close()
    assert len(bugs) == 3


async def test_a_deadline_that_cannot_be_met_does_not_eat_the_loop(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[float] = []

    def never_done(event: Event, now_ms: int) -> list[object]:
        handled.append(time.monotonic())
        return []

    monkeypatch.setattr(host.core, "handle", never_done)
    monkeypatch.setattr(host.core, "next_deadline_ms", lambda: 1)
    host.runner.process([LinkUp(switch=SWITCH, boot="b")])
    await until(lambda: len(handled) >= 4)
    assert all(later - earlier > 0.09 for earlier, later in itertools.pairwise(handled[1:]))


async def test_one_timer_follows_the_cores_deadline(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    due = [host.runner.clock.now_ms() + 60_000]
    fired: list[int] = []

    def handle(event: Event, now_ms: int) -> list[object]:
        if type(event).__name__ == "DeadlinePassed":
            fired.append(now_ms)
            due[0] = now_ms + 3_600_000
        return []

    monkeypatch.setattr(host.core, "handle", handle)
    monkeypatch.setattr(host.core, "next_deadline_ms", lambda: due[0])
    host.runner.process([LinkUp(switch=SWITCH, boot="b")])
    due[0] = wanted = host.runner.clock.now_ms() + 50
    host.runner.process([LinkUp(switch=SWITCH, boot="b")])
    await until(lambda: fired)
    assert wanted <= fired[0] < wanted + 1_000
    await asyncio.sleep(0.2)
    assert len(fired) == 1


async def test_events_that_found_no_room_bring_a_snapshot(tmp_path: Path, host: Host) -> None:
    restarted(host)
    await until(lambda: host.driver.snapshots)
    asked = host.driver.snapshots
    host.runner.inbox._capacity = 100
    for number in range(150):
        host.emit(DeviceChanged(switch=SWITCH, address=str(number), registered=True))
    await until(lambda: host.driver.snapshots > asked)
    assert host.runner.inbox.dropped == {SWITCH: 50}


async def test_a_full_disk_stops_new_calls_before_facts_and_takes_them_again(host: Host) -> None:
    restarted(host)
    await until(lambda: host.driver.snapshots)
    assert host.driver.gate[-1] is True
    host.runner.low_on_space = "2 MB free, 512 MB wanted"
    await until(lambda: host.driver.gate[-1] is False)
    assert host.dispatch.closed_for == ["disk"]
    assert "disk_full/journal" in host.core.state.alarms
    host.emit(arrival("leg-1"))
    await until(lambda: host.core.state.calls)
    assert host.journal.pending == 0  # facts still reach the disk
    host.runner.low_on_space = ""
    await until(lambda: host.driver.gate[-1] is True)
    assert "disk_full/journal" not in host.core.state.alarms


async def test_a_disk_that_refuses_keeps_calls_going_and_is_caught_up_with(host: Host) -> None:
    restarted(host)
    await until(lambda: host.driver.snapshots)
    host.journal._connection.execute("PRAGMA max_page_count=1")
    for number in range(100):
        host.emit(arrival(f"leg-{number}"))
    await until(lambda: len(host.core.state.calls) == 100 and host.driver.commands)
    await until(lambda: "disk_full/journal" in host.core.state.alarms)
    await until(lambda: host.journal.trouble is None)  # the reopened connection has no limit
    await until(lambda: host.driver.gate[-1] is True)
    assert recovery.recover(host.journal).to_data() == host.core.state.to_data()


async def test_a_switch_that_is_not_there_fails_the_offer_at_once(host: Host) -> None:
    originate = OriginateLeg(
        switch=SwitchId("99"),
        leg=LegId("x-l1"),
        call=CallId("x-c1"),
        tenant=TenantId("1"),
        role=LegRole.AGENT,
        destination=Destination(kind=DestinationKind.DEVICE, address="1001"),
        ring_timeout_ms=1000,
    )
    host.dispatch.send([originate])
    assert [type(event).__name__ for event in host.runner.inbox.take(10)] == ["LegHungUp"]


async def test_a_driver_that_raises_costs_one_command(host: Host) -> None:
    done: list[Command] = []

    def execute(command: Command) -> None:
        if command.leg == "bad":
            raise RuntimeError("driver bug")
        done.append(command)

    host.driver.execute = execute  # type: ignore[method-assign]
    host.dispatch.send([AnswerLeg(switch=SWITCH, leg=LegId(name)) for name in ("a", "bad", "b")])
    assert [command.leg for command in done] == ["a", "b"]
    assert host.dispatch.failures == 1


async def test_the_facts_of_a_batch_are_published_after_they_are_stored(host: Host) -> None:
    restarted(host)
    host.emit(arrival("leg-1"))
    await until(lambda: host.core.state.calls)
    assert host.feed.seq == host.journal.last_seq
    assert b'"seq":1,' in host.feed.read(0)[0]


async def test_an_anomaly_of_the_core_is_counted(host: Host) -> None:
    host.runner.record([Anomaly(at_ms=1, tenant=None, event="x", subject="", state="", detail="")])
    assert host.runner.metrics.anomalies._value.get() == 1


async def test_what_happened_comes_before_the_deadline_that_is_late(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process stood still: an answer that waits to be read is read before anybody is given up for none."""
    handled: list[str] = []
    due = [host.runner.clock.now_ms() + 20]

    def handle(event: Event, now_ms: int) -> list[object]:
        handled.append(type(event).__name__)
        if isinstance(event, DeadlinePassed):
            due[0] = now_ms + 3_600_000
        return []

    monkeypatch.setattr(host.core, "handle", handle)
    monkeypatch.setattr(host.core, "next_deadline_ms", lambda: due[0])
    host.runner.process([LinkUp(switch=SWITCH, boot="b")])
    time.sleep(0.3)  # the loop stands still, and with it all that reads for it
    asyncio.get_running_loop().call_later(0.03, host.emit, DeviceChanged(switch=SWITCH, address="1", registered=True))
    await until(lambda: "DeadlinePassed" in handled)
    assert handled == ["LinkUp", "DeviceChanged", "DeadlinePassed"]
