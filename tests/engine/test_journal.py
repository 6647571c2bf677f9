from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from apps.calls.services import StoredFact
from apps.core.config import AgentConfig, CenterConfig
from apps.core.facts import ConfigApplied, Fact, RunStarted
from apps.core.ids import AgentId, TenantId
from apps.core.state import State
from apps.engine import checkpoint
from apps.engine.journal import DURABLE_MARK, RESERVE, Journal, JournalInUse, keep_reserve
from apps.engine.journal_reader import DATABASE, JournalReader
from apps.engine.recorder import Recorder
from apps.engine.recovery import recover
from apps.engine.stored import Stored, encode
from tests.engine.rig import note

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from pathlib import Path
from apps.engine.journal import Journal
from tests.engine.rig import note
journal = Journal(Path(sys.argv[1]))
batch = 0
while True:
    batch += 1
    journal.append([note(batch, f"{batch}/{index}") for index in range(7)])
    print(batch, file=sys.stderr, flush=True)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path)
    yield opened
    opened.close()


def details(directory: Path) -> list[str]:
    reader = JournalReader(directory)
    try:
        return [orjson.loads(data)["detail"] for _, _, data in reader.after(0, 1_000_000)]
    finally:
        reader.close()


def config(version: int, agents: int = 1) -> Fact:
    rows = {
        AgentId(str(n)): AgentConfig(id=AgentId(str(n)), tenant=TenantId("1"), name="张三", device=None)
        for n in range(agents)
    }
    return ConfigApplied(at_ms=version, tenant=None, config=CenterConfig(version=version, agents=rows))


def test_killed_at_any_moment_it_holds_whole_batches_and_every_one_that_was_confirmed(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert process.stderr is not None
    confirmed = 0
    while confirmed < 300:
        confirmed = int(process.stderr.readline())
    process.send_signal(signal.SIGKILL)
    confirmed = int([b"%d" % confirmed, *process.stderr.read().split()][-1])
    process.wait()
    found = details(tmp_path)
    assert len(found) % 7 == 0
    assert len(found) // 7 >= confirmed
    assert found == [f"{batch}/{index}" for batch in range(1, len(found) // 7 + 1) for index in range(7)]


def test_numbers_time_and_epoch_go_on_after_a_restart(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.append([note(5_000), note(6_000)])
    first.close()
    second = Journal(tmp_path)
    assert (second.epoch, second.last_seq, second.last_at_ms) == (first.epoch, 2, 6_000)
    assert [item.seq for item in second.append([note(7_000)])] == [3]
    second.close()


def test_only_one_engine_may_use_it(journal: Journal) -> None:
    with pytest.raises(JournalInUse, match="another engine"):
        Journal(journal.directory)


def test_after_a_power_failure_the_epoch_changes_because_numbers_may_be_used_again(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.set_meta({"boot": "another start of the machine"})
    first.close()
    second = Journal(tmp_path)
    assert second.epoch != first.epoch
    second.close()


def test_runs_are_unique_and_fit_an_id(journal: Journal) -> None:
    runs = {journal.new_run() for _ in range(200)}
    assert len(runs) == 200
    assert all(run.isalnum() and run == run.lower() for run in runs)


def test_text_that_is_no_unicode_is_repaired(journal: Journal) -> None:
    journal.append([note(1, "caller \ud800 name"), note(2, "next")])
    assert details(journal.directory) == ["caller ? name", "next"]


# --- recovery -------------------------------------------------------------------------------------------------------


def test_folding_checkpoint_and_rest_gives_the_same_state_as_folding_all(journal: Journal) -> None:
    facts = [
        RunStarted(at_ms=1, tenant=None, run="abc"),
        config(2, 3),
        config(3, 2),
        RunStarted(at_ms=9, tenant=None, run="x"),
    ]
    living = State()
    living.fold(facts)
    journal.append(facts[:2])
    half = State()
    half.fold(facts[:2])
    checkpoint.write(journal.directory, journal.last_seq, half)
    journal.append(facts[2:])
    assert recover(journal).to_data() == living.to_data()


def test_lives_too_short_for_the_keeper_do_not_make_the_way_back_longer(tmp_path: Path) -> None:
    """What each start folds stays bounded, and nothing is folded twice or left out."""
    folded = []
    for life in range(1, 31):
        journal = Journal(tmp_path)
        with capture_logs() as logs:
            state = recover(journal, checkpoint_facts=100)
        folded += [entry["seq"] - entry["checkpoint_seq"] for entry in logs if entry["event"] == "journal_folded"]
        assert state.config.version == life - 1
        journal.append([note(1) for _ in range(29)] + [config(life)])
        journal.close()
    assert len(folded) == 30
    assert 100 <= max(folded) < 100 + 30, folded


def test_a_disk_that_takes_no_checkpoint_does_not_keep_the_engine_from_starting(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append([config(n) for n in range(1, 6)])

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_file", full)
    assert recover(journal, checkpoint_facts=5).config.version == 5
    assert checkpoint.newest_seq(journal.directory) == 0


def test_an_unusable_checkpoint_gives_way_to_the_one_before(journal: Journal) -> None:
    journal.append([config(1)])
    checkpoint.write(journal.directory, 1, recover(journal))
    journal.append([config(2)])
    (journal.directory / "checkpoint-0000000000000002.json").write_bytes(b'{"seq": 2, "state": {"run"')
    assert recover(journal).config.version == 2


def test_a_fact_of_an_unknown_kind_is_left_out(journal: Journal) -> None:
    journal.append([config(1)])
    connection = sqlite3.connect(journal.directory / DATABASE)
    connection.execute("INSERT INTO facts VALUES (2, 'e', 1, NULL, NULL, 'Gone', ?)", (b'{"type":"Gone","at_ms":1}',))
    connection.commit()
    connection.close()
    assert recover(journal).config.version == 1


def test_a_damaged_file_is_kept_aside_and_the_engine_starts(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.append([config(1)])
    first.close()
    (tmp_path / DATABASE).write_bytes(b"this is not a database at all" * 200)
    second = Journal(tmp_path)
    assert recover(second).config.version == 0
    assert second.epoch != first.epoch
    assert list(tmp_path.glob("damaged-*"))
    second.append([config(2)])
    assert recover(second).config.version == 2
    second.close()


def test_pages_damaged_inside_the_file_do_not_keep_the_engine_from_starting(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.append([config(n, 30) for n in range(200)])
    reader = JournalReader(tmp_path)
    reader.sync()
    reader.close()
    first.close()
    for path in tmp_path.glob(f"{DATABASE}-*"):
        path.unlink()
    with (tmp_path / DATABASE).open("r+b") as file:
        file.seek(40 * 4096)
        file.write(os.urandom(300 * 4096))
    second = Journal(tmp_path)
    state = recover(second)
    assert second.append([note(1)])
    assert second.trouble is None
    assert state.config.version < 199
    second.close()


# --- tending --------------------------------------------------------------------------------------------------------


def test_pruning_keeps_the_newest_fact_so_that_numbers_go_on(journal: Journal) -> None:
    journal.append([note(at_ms) for at_ms in range(1, 11)])
    reader = JournalReader(journal.directory)
    assert reader.prune(up_to_seq=6, before_ms=5) == 4
    assert reader.bounds() == (5, 10)
    assert reader.prune(up_to_seq=10, before_ms=1_000) == 5
    assert reader.bounds() == (10, 10)
    assert reader.reusable_bytes() >= 0
    reader.close()


def test_an_engine_starts_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Journal(tmp_path)
    first.append([note(1)])
    first.close()
    keep_reserve(tmp_path)
    (tmp_path / DURABLE_MARK).unlink()  # it was killed with the disk full
    reserve = tmp_path / RESERVE
    real_open, real_save = Journal._with_schema, Journal.set_meta

    def full(self: Journal) -> sqlite3.Connection:
        if reserve.exists():
            raise sqlite3.OperationalError("database or disk is full")
        return real_open(self)

    def refuse(self: Journal, values: dict[str, str]) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Journal, "_with_schema", full)
    monkeypatch.setattr(Journal, "set_meta", refuse)
    second = Journal(tmp_path)
    assert second.trouble is not None
    assert (second.last_seq, second.epoch != first.epoch) == (1, True)
    second.append([note(2)])
    monkeypatch.setattr(Journal, "set_meta", real_save)
    wait_for_room(second)
    assert second.trouble is None
    epoch = second.epoch
    second.close()
    third = Journal(tmp_path)
    assert (third.epoch, third.last_seq) == (epoch, 2)
    third.close()


# --- a disk that refuses ----------------------------------------------------------------------------------------------


def limit_pages(journal: Journal, pages: int) -> None:
    journal._connection.execute(f"PRAGMA max_page_count={pages}")


def test_a_full_disk_costs_no_fact_and_no_number(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([note(1, "before")])
    limit_pages(journal, 1)
    big = "x" * 5_000
    stored = [item for n in range(20) for item in journal.append([note(n, f"{n}-{big}")])]
    assert journal.trouble is not None
    assert journal.trouble.kind == "disk_full"
    assert [item.seq for item in stored] == list(range(2, 22))
    assert not (tmp_path / DURABLE_MARK).exists()
    wait_for_room(journal)
    assert journal.trouble is None
    assert len(details(tmp_path)) == 21
    assert journal.pending == 0
    assert (tmp_path / DURABLE_MARK).exists()
    journal.close()


def wait_for_room(journal: Journal) -> None:
    """The new connection after the refusal knows no limit: the disk is back. The next try is due at once."""
    journal._retry_at = 0.0
    journal.retry()


def test_a_file_that_cannot_be_opened_again_is_said_once_and_once_that_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)

    def refuse(directory: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    with capture_logs() as logs:
        with monkeypatch.context() as broken:
            broken.setattr("apps.engine.journal.open_database", refuse)
            limit_pages(journal, 1)
            journal.append([note(1, "x" * 50_000)])
            for _ in range(3):
                wait_for_room(journal)
        wait_for_room(journal)  # refused once more, and opened anew
        wait_for_room(journal)
    told = [entry["event"] for entry in logs if entry["log_level"] != "debug"]
    assert told == ["journal_refused", "journal_not_reopened", "journal_reopened", "journal_restored"]
    journal.close()


def test_killed_while_the_disk_was_full_the_next_run_takes_a_new_epoch(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    limit_pages(journal, 1)
    journal.append([note(1, "x" * 50_000)])
    assert journal.trouble is not None
    epoch = journal.epoch
    journal._pending.clear()  # as if killed here
    os.close(journal.lock)
    again = Journal(tmp_path)
    assert again.epoch != epoch
    again.close()


def test_beyond_the_buffer_the_oldest_are_let_go_counted_and_a_checkpoint_is_asked_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path, buffer_limit=10)
    limit_pages(journal, 1)
    for n in range(25):
        journal.append([note(n, "x" * 20_000)])
    assert (journal.lost, journal.pending, journal.torn) == (15, 10, True)
    wait_for_room(journal)
    assert len(details(tmp_path)) == 10
    journal.close()


# --- the copy of another engine's -------------------------------------------------------------------------------------


def copied(seq: int, epoch: str) -> Stored:
    fact = note(1_000 + seq)
    return Stored(seq, epoch, fact, encode(fact))


def test_a_copy_has_the_leaders_numbers_and_epochs_and_knows_where_each_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin_at(10, 1_000, recorded=0)
    journal.adopt_epochs([("first", 4)])
    journal.copy([copied(11, "first"), copied(12, "first")])
    assert journal.tail() == ("first", 12) and journal.last_at_ms == 1_012
    own = journal.begin_epoch()
    assert journal.append([note(2_000)])[0].seq == 13
    assert journal.tail() == (own, 13)
    assert (journal.end_of("first"), journal.end_of(own), journal.end_of("another")) == (12, 13, None)
    assert journal.epochs() == [("first", 4), (own, 12)]


def test_what_nobody_took_over_is_cut_off(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([note(1), note(2), note(3)])
    journal.cut_back(2)
    assert journal.tail()[1] == 2 and journal.last_seq == 2
    assert journal.append([note(4)])[0].seq == 3
    assert journal.foldable(0) and not journal.foldable(-1)


@pytest.mark.parametrize(("recorded", "kept"), [(3, 0), (2, 1)])
def test_a_journal_that_begins_anew_keeps_aside_what_history_may_lack(tmp_path: Path, recorded: int, kept: int) -> None:
    journal = Journal(tmp_path)
    journal.append([note(1), note(2), note(3)])
    journal.begin_at(50, 9_000, recorded=recorded)
    assert journal.tail() == ("", 0) and journal.last_seq == 50
    aside = list(tmp_path.glob("former-*-journal.sqlite3"))
    assert len(aside) == kept
    written: list[StoredFact] = []
    recorder = Recorder(tmp_path, written.extend)
    recorder.step()
    recorder.close()
    assert [item.seq for item in written] == [1, 2, 3][: 3 * kept]
    assert not list(tmp_path.glob("former-*"))
