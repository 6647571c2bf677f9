"""History with PostgreSQL coming and going, against a real one that these tests stop and start."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pytest
from django.db import DataError, OperationalError
from psycopg.errors import ProgramLimitExceeded

from apps.calls.services import StoredFact
from apps.core.calls.model import CallState
from apps.demo.services import PrivatePostgres
from apps.engine import checkpoint
from apps.engine.journal import Journal
from apps.engine.recorder import REFUSED_FILE, Recorder
from tests.engine.floor import Floor
from tests.engine.rig import note, wait_until


class History:
    """Stands in for PostgreSQL's side where only its failures matter; idempotent as the real one is."""

    def __init__(self) -> None:
        self.facts: dict[tuple[str, int], StoredFact] = {}
        self.away = False
        self.bad: set[int] = set()
        self.batches: list[int] = []
        self.refusal: Exception = DataError("no such thing")

    def write(self, batch: Sequence[StoredFact]) -> None:
        if self.away:
            raise OperationalError("the server is gone")
        if self.bad & {item.seq for item in batch}:
            raise self.refusal
        self.batches.append(len(batch))
        self.facts |= {(item.epoch, item.seq): item for item in batch}

    def seqs(self) -> list[int]:
        return [seq for _, seq in self.facts]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def recorder(journal: Journal, history: History) -> Iterator[Recorder]:
    running = Recorder(journal.directory, history.write)
    yield running
    running.stop()


def test_everything_arrives_in_order_and_the_cursor_is_kept(
    journal: Journal, history: History, recorder: Recorder
) -> None:
    journal.append([note(n) for n in range(1, 1_301)])
    recorder.start()
    wait_until(lambda: recorder.progress.cursor == 1_300)
    assert history.seqs() == list(range(1, 1_301))
    wait_until(lambda: checkpoint.read_cursor(journal.directory) == 1_300)
    assert recorder.progress.lag_s(10_000) >= 0


def test_a_lost_cursor_costs_work_and_nothing_else(journal: Journal, history: History, recorder: Recorder) -> None:
    journal.append([note(n) for n in range(1, 11)])
    recorder.start()
    wait_until(lambda: recorder.progress.cursor == 10)
    recorder.stop()
    (journal.directory / checkpoint.CURSOR_FILE).write_text("garbage")
    again = Recorder(journal.directory, history.write)
    again.start()
    wait_until(lambda: again.progress.cursor == 10)
    again.stop()
    assert history.seqs() == list(range(1, 11))


def test_with_postgresql_away_the_journal_grows_and_is_caught_up_with(
    journal: Journal, history: History, recorder: Recorder
) -> None:
    history.away = True
    recorder.start()
    journal.append([note(1)])
    wait_until(lambda: recorder.progress.trouble)
    journal.append([note(n) for n in range(2, 50)])
    assert recorder.progress.cursor == 0
    history.away = False
    wait_until(lambda: recorder.progress.cursor == 49)
    assert not recorder.progress.trouble


def too_large() -> OperationalError:
    """As Django passes on what PostgreSQL says of a text that no index takes."""
    error = OperationalError("index row requires 9024 bytes, maximum size is 8191")
    error.__cause__ = ProgramLimitExceeded()
    return error


@pytest.mark.parametrize("refusal", [DataError("no such thing"), too_large()], ids=["data", "too large"])
def test_a_fact_that_is_refused_on_its_own_is_put_aside_and_the_others_get_through(
    journal: Journal, history: History, recorder: Recorder, refusal: Exception
) -> None:
    history.bad, history.refusal = {77}, refusal
    journal.append([note(n, f"fact {n}") for n in range(1, 201)])
    recorder.start()
    wait_until(lambda: recorder.progress.cursor == 200)
    assert history.seqs() == [seq for seq in range(1, 201) if seq != 77]
    (line,) = (journal.directory / REFUSED_FILE).read_bytes().splitlines()
    assert orjson.loads(line)["detail"] == "fact 77"
    assert recorder.progress.refused == 1


def test_a_hanging_database_does_not_hold_up_the_journal(journal: Journal) -> None:
    hang = threading.Event()
    recorder = Recorder(journal.directory, lambda batch: hang.wait(30))
    recorder.start()
    journal.append([note(1)])
    started = time.monotonic()
    for n in range(2, 502):
        journal.append([note(n)])
    assert time.monotonic() - started < 5
    hang.set()
    wait_until(lambda: recorder.progress.cursor == 501)
    recorder.stop()


async def test_calls_go_on_while_postgresql_is_stopped_and_history_is_complete_afterwards(
    floor: Floor, own_postgres: PrivatePostgres
) -> None:
    agent = "1001"
    await floor.make_ready(agent)
    await asyncio.to_thread(own_postgres.stop)
    try:
        caller = await floor.talk(agent)
        call = floor.call(caller)
        assert call is not None
        second = floor.place_call()
        await floor.call_in(second, CallState.WAITING)
        await asyncio.sleep(10)
        floor.hang_up(caller)
        await floor.finish_wrap_up(agent, call.id)
        await floor.until(lambda: floor.pick_up(agent))
        await floor.call_in(second, CallState.TALKING)
        floor.hang_up(second)
        await floor.until(lambda: not floor.state.calls)
        # The engine itself may even be started anew: it has its configuration and its journal.
        floor.engine.kill()
        floor.engine.start()
        await floor.until(lambda: not floor.page.reachable)
        await floor.ready()
        third = floor.place_call()
        await floor.call_in(third, CallState.WAITING)
    finally:
        await asyncio.to_thread(own_postgres.start)
    floor.hang_up(third)
    await floor.until(lambda: not floor.state.calls)
    await floor.recorded()
    outcomes = floor.rows("SELECT outcome, ended_at IS NOT NULL FROM calls_call ORDER BY started_at")
    assert outcomes == [("served", True), ("served", True), ("abandoned", True)]
    assert floor.rows("SELECT count(*), max(seq) - min(seq) + 1 FROM calls_factrecord")[0][0] == floor.page.seq


async def test_whoever_is_killed_each_fact_is_in_history_once_and_no_recorder_outlives_its_engine(floor: Floor) -> None:
    """The recorder with a batch in hand, then both, then the engine alone, with calls coming all the while."""
    callers = []
    for who in ("recorder", "both", "engine"):
        recorder = await floor.recorder()
        callers.append(floor.place_call())
        await floor.call_in(callers[-1], CallState.WAITING)
        if who != "engine":
            os.kill(recorder, signal.SIGKILL)
        if who != "recorder":
            floor.engine.kill()
            await floor.until(lambda gone=recorder: not Path(f"/proc/{gone}").exists())
            floor.engine.start()
            await floor.until(lambda: not floor.page.reachable)
            await floor.ready()
        assert await floor.recorder() != recorder
    for caller in callers:
        floor.hang_up(caller)
    await floor.until(lambda: not floor.state.calls)
    await floor.recorded()
    assert floor.rows("SELECT count(*) = max(seq) FROM calls_factrecord") == [(True,)]
    assert floor.rows("SELECT outcome FROM calls_call") == [("abandoned",)] * 3


async def test_a_recorder_that_hangs_holds_up_neither_the_engine_nor_its_end(floor: Floor) -> None:
    recorder = await floor.recorder()
    os.kill(recorder, signal.SIGSTOP)
    caller = floor.place_call()
    await floor.call_in(caller, CallState.WAITING)
    await floor.until(lambda: floor.engine.health()["journal"]["depth"] > 0)
    floor.hang_up(caller)
    await floor.until(lambda: not floor.state.calls)
    assert await asyncio.to_thread(floor.engine.stop) == 0
    assert not Path(f"/proc/{recorder}").exists()
