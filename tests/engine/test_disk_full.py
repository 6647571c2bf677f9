"""A disk that is really full, with a small tmpfs; skipped, saying so, where one may not be mounted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.engine import recovery
from apps.engine.checkpoint import newest_seq
from apps.engine.journal import Journal
from apps.engine.journal_reader import JournalReader
from apps.engine.keeper import Keeper
from tests.engine.rig import Host, arrival, note, until, wait_until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs may be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_calls_go_on_and_nothing_is_lost_when_the_disk_fills_up_and_is_freed(small_disk: Path) -> None:
    filler = small_disk / "filler"
    host = Host(small_disk / "journal", buffer_limit=100_000)
    host.runner.start()
    filler.write_bytes(b"x" * 15_000_000)
    big = "x" * 2_000
    for n in range(500):
        host.runner.record([note(n, big)])
    assert host.journal.trouble is not None
    assert host.journal.trouble.kind == "disk_full"
    await until(lambda: host.dispatch.closed_for == ["disk"])
    assert host.driver.gate[-1] is False
    for n in range(20):
        host.emit(arrival(f"leg-{n}"))
    await until(lambda: len(host.core.state.calls) == 20)
    assert host.driver.commands, "calls are still handled"
    filler.unlink()
    await until(lambda: host.journal.trouble is None)
    await until(lambda: host.driver.gate[-1] is True)
    reader = JournalReader(host.journal.directory)
    seqs = [seq for seq, _, _ in reader.after(0, 1_000_000)]
    reader.close()
    assert seqs == list(range(1, host.journal.last_seq + 1))
    assert recovery.recover(host.journal).to_data() == host.core.state.to_data()
    host.stop()


def test_a_disk_that_runs_low_is_told_before_it_is_full_and_old_facts_make_room(tmp_path: Path) -> None:
    host_journal = tmp_path / "journal"
    told: list[str] = []
    journal = Journal(host_journal)
    journal.append([note(n, "x" * 200) for n in range(1, 3_001)])
    keeper = Keeper(
        host_journal,
        retention_ms=1_000_000,
        least_free_bytes=1 << 60,
        report_space=told.append,
        recorded_seq=lambda: 2_000,
        now_ms=lambda: 10_000,
        checkpoint_facts=1_000,
    )
    keeper._not_before_s = 0.0
    keeper.start()
    wait_until(lambda: told and newest_seq(host_journal) == 3_000)
    assert "free some disk" in told[0]
    reader = JournalReader(host_journal)
    wait_until(lambda: reader.bounds() == (2_001, 3_000))  # what PostgreSQL has not is kept, whatever the disk says
    reader.close()
    keeper.stop()
    assert recovery.recover(journal).now_ms == 3_000
    journal.close()
