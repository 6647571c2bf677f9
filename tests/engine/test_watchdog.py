from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apps.core.events import LinkUp
from apps.core.ids import SwitchId, TrunkId
from apps.engine.drivers import Fleet, SwitchSpec
from apps.engine.watchdog import Watchdog
from apps.engine.worker import Worker
from tests.engine.rig import SWITCH, Host, RecordingDriver, until, wait_until


def spec(**changes: Any) -> SwitchSpec:
    values: dict[str, Any] = {
        "switch": SWITCH,
        "name": "one",
        "host": "127.0.0.1",
        "port": 8021,
        "password": "secret",
        "arrival_host": "127.0.0.1",
        "arrival_port": 8084,
        "domain": "example",
        "sounds_dir": "/sounds",
        "recordings_dir": "/recordings",
        "gateways": {"carrier": TrunkId("1")},
    }
    return SwitchSpec(**(values | changes))


class SilentDriver(RecordingDriver):
    silent_ms = 0

    def alive_ms_ago(self) -> int:
        return self.silent_ms


class Builder:
    """Makes recording drivers and keeps them."""

    def __init__(self) -> None:
        self.drivers: list[SilentDriver] = []
        self.gateways: list[Mapping[str, TrunkId]] = []
        self.fail = False

    def __call__(self, wanted: SwitchSpec, gateways: Mapping[str, TrunkId]) -> SilentDriver:
        if self.fail:
            raise ValueError("no such host")
        driver = SilentDriver()
        driver.switch = wanted.switch
        self.drivers.append(driver)
        self.gateways.append(gateways)
        return driver


@pytest.fixture
def builder() -> Builder:
    return Builder()


@pytest.fixture
def fleet(host: Host, builder: Builder) -> Fleet:
    host.dispatch.remove(SWITCH)
    return Fleet(host.dispatch, host.runner.inbox.emit, builder)


# --- the fleet --------------------------------------------------------------------------------------------------------


async def test_switches_start_change_and_stop_while_the_engine_runs(fleet: Fleet, builder: Builder) -> None:
    fleet.apply([spec()])
    first = builder.drivers[0]
    assert first.emit is not None and first.gate == [True]
    fleet.apply([spec()])
    assert len(builder.drivers) == 1, "nothing changed"
    fleet.apply([spec(host="10.0.0.2")])
    assert first.stopped == 1
    assert len(builder.drivers) == 2
    fleet.apply([])
    assert builder.drivers[1].stopped == 1


async def test_a_new_trunk_costs_no_new_link(fleet: Fleet, builder: Builder) -> None:
    fleet.apply([spec()])
    fleet.apply([spec(gateways={"carrier": TrunkId("1"), "second": TrunkId("2")})])
    assert len(builder.drivers) == 1
    assert builder.gateways[0]["second"] == "2"


async def test_a_switch_that_goes_away_is_told_to_the_core_as_down(host: Host, fleet: Fleet, builder: Builder) -> None:
    fleet.apply([spec()])
    host.emit(LinkUp(switch=SWITCH, boot="b"))
    await until(lambda: SWITCH in host.core.state.switches and host.core.state.switches[SWITCH].up)
    fleet.apply([])
    await until(lambda: not host.core.state.switches[SWITCH].up)


async def test_one_unusable_switch_does_not_keep_the_others_from_starting(fleet: Fleet, builder: Builder) -> None:
    builder.fail = True
    fleet.apply([spec()])
    builder.fail = False
    fleet.apply([spec(), spec(switch=SwitchId("2"))])
    assert [driver.switch for driver in builder.drivers] == ["2"]


async def test_a_driver_whose_thread_died_is_replaced(fleet: Fleet, builder: Builder) -> None:
    fleet.apply([spec()])
    builder.drivers[0].silent_ms = 60_000
    fleet.replace_silent(5_000)
    assert builder.drivers[0].stopped == 1
    assert len(builder.drivers) == 2


# --- the watchdog -----------------------------------------------------------------------------------------------------


async def test_a_hung_loop_lets_go_of_its_switches_and_takes_them_up_again(
    host: Host, fleet: Fleet, builder: Builder
) -> None:
    fleet.apply([spec()])
    watchdog = Watchdog(fleet, lambda: host.runner.beat_s, hung_after_s=0.5)
    watchdog.start()
    await asyncio.sleep(1.0)
    assert builder.drivers[0].stopped == 0, "a loop that beats is left alone"
    limit = time.monotonic() + 5
    while not builder.drivers[0].stopped and time.monotonic() < limit:
        time.sleep(0.01)  # the loop hangs: that is the test
    assert builder.drivers[0].stopped == 1
    assert builder.drivers[0].gate[-1] is False
    assert host.dispatch.closed_for == ["hung"]
    await until(lambda: len(builder.drivers) == 2)
    await until(lambda: builder.drivers[1].gate[-1] is True)
    assert builder.drivers[1].emit is not None
    await asyncio.to_thread(watchdog.stop)


async def test_it_tells_a_supervisor_that_it_lives_and_stops_telling_when_it_hangs(
    tmp_path: Path, fleet: Fleet
) -> None:
    address = str(tmp_path / "notify")
    beat = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address)
        supervisor.settimeout(5)
        watchdog = Watchdog(fleet, lambda: beat, notify_socket=address, hung_after_s=0.6)
        watchdog.ready()
        watchdog.start()
        said = [supervisor.recv(100), supervisor.recv(100)]
        await asyncio.to_thread(wait_until, lambda: watchdog.hung)
        supervisor.settimeout(0.1)
        try:
            while True:
                supervisor.recv(100)
        except TimeoutError:
            pass  # what was said before it hung is read; nothing comes after
        supervisor.settimeout(0.6)
        with pytest.raises(TimeoutError):
            supervisor.recv(100)
        await asyncio.to_thread(watchdog.stop)
        supervisor.settimeout(5)
        said.append(supervisor.recv(100))
    assert said == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


# --- workers ----------------------------------------------------------------------------------------------------------


def test_a_fault_pauses_a_worker_and_does_not_end_it() -> None:
    class Faulty(Worker):
        fault_pause_s = 0.01
        steps = 0
        closed = threading.Event()

        def step(self) -> float:
            self.steps += 1
            if self.steps < 3:
                raise RuntimeError("fault")
            return 0.01

        def close(self) -> None:
            self.closed.set()

    worker = Faulty()
    worker.start()
    wait_until(lambda: worker.steps > 5)
    worker.stop()
    assert worker.closed.is_set()
