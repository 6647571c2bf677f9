"""What is backed up comes back the same, and nothing is overwritten by accident."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from apps.accounts.models import Tenant, User
from apps.calls.models import Call
from apps.calls.services import record_facts
from apps.demo.story import load_story
from apps.operations.backup.make import count_rows, make
from apps.recordings.models import Recording
from tests.apps.facts_of_calls import served_call, stored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def centre(settings: Any, tmp_path: Path) -> Path:
    """The story, a call with a recording, a prompt and the keys; nothing runs. Returns where the backup may go."""
    settings.RECORDINGS_DIR, settings.STATE_DIR = tmp_path / "recordings", tmp_path / "state"
    settings.ENGINE_URL = "http://127.0.0.1:1"
    load_story()
    record_facts(stored(served_call("c1")))
    Recording.objects.create(id="r1", call_id="c1", leg_id="c1-in", path="a/r1.wav", asked_at="2026-11-26T10:00:00Z")
    write(tmp_path / "recordings" / "a" / "r1.wav", b"RIFF sound")
    write(tmp_path / "state" / "sounds" / "8000" / "hello.wav", b"RIFF hello")
    write(tmp_path / "state" / "secret_key", b"the key")
    return tmp_path / "backup"


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def run(command: str, *arguments: object) -> str:
    out, err = io.StringIO(), io.StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


def test_everything_comes_back(centre: Path, settings: Any) -> None:
    said = run("backup", "--output", centre, "--copy-recordings")
    assert "1 recordings (0 MB, copied)" in said and "database" in said, "progress is shown"
    before = count_rows()
    Call.objects.all().delete()
    User.objects.filter(username="admin").update(first_name="changed")
    (settings.RECORDINGS_DIR / "a" / "r1.wav").unlink()
    (settings.STATE_DIR / "sounds" / "8000" / "hello.wav").unlink()
    said = run("restore", centre, "--force")
    assert "1 recordings checked" in said
    assert count_rows() == before
    assert Call.objects.get(pk="c1").talk_ms == 50_000
    assert User.objects.get(username="admin").first_name != "changed"
    assert (settings.RECORDINGS_DIR / "a" / "r1.wav").read_bytes() == b"RIFF sound"
    assert (settings.STATE_DIR / "sounds" / "8000" / "hello.wav").read_bytes() == b"RIFF hello"
    load_story()  # sequences go on where they were


def test_it_never_overwrites_without_being_told(centre: Path) -> None:
    run("backup", "--output", centre)
    with pytest.raises(CommandError, match="not empty: a backup never overwrites"):
        run("backup", "--output", centre)
    with pytest.raises(CommandError, match="--force replaces everything"):
        run("restore", centre)


def test_not_while_the_engine_runs(centre: Path, settings: Any, live_server: Any) -> None:
    run("backup", "--output", centre)
    settings.ENGINE_URL = live_server.url  # anything that answers HTTP there
    with pytest.raises(CommandError, match="the engine runs"):
        run("restore", centre)


def test_secrets_only_when_asked(centre: Path, settings: Any) -> None:
    run("backup", "--output", centre)
    assert not (centre / "secrets").exists()
    with pytest.raises(CommandError, match="no secrets in it"):
        run("restore", centre, "--force", "--with-secrets")
    other = centre.with_name("other")
    run("backup", "--output", other, "--with-secrets")
    assert (other / "secrets" / "secret_key").stat().st_mode & 0o077 == 0
    write(settings.STATE_DIR / "secret_key", b"another")
    run("restore", other, "--force", "--with-secrets")
    assert (settings.STATE_DIR / "secret_key").read_bytes() == b"the key"


def alter(manifest: Path, **changes: Any) -> None:
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**data, **changes}))


def test_a_backup_of_a_newer_trunkline_is_refused(centre: Path) -> None:
    run("backup", "--output", centre)
    manifest = centre / "manifest.json"
    known = json.loads(manifest.read_text())["migrations"]
    alter(manifest, migrations=[*known, "calls.0999_from_the_future"])
    with pytest.raises(CommandError, match=r"newer Trunkline .* calls\.0999_from_the_future"):
        run("restore", centre, "--force")
    alter(manifest, format=99)
    with pytest.raises(CommandError, match="format 99"):
        run("restore", centre, "--force")
    assert Call.objects.count() == 1


@pytest.mark.parametrize("damage", ["database.dump", "recordings.jsonl", "manifest.json"])
def test_a_damaged_backup_touches_nothing(centre: Path, damage: str) -> None:
    run("backup", "--output", centre)
    (centre / damage).write_bytes((centre / damage).read_bytes()[:-10])
    Tenant.objects.update(name="still here")
    with pytest.raises(CommandError, match=r"hash differs|no complete backup"):
        run("restore", centre, "--force")
    assert Tenant.objects.get().name == "still here"


def test_a_dump_that_breaks_off_leaves_the_database_as_it_was(centre: Path) -> None:
    """With its hash right: it was written so."""
    from apps.operations.backup.manifest import sha256

    run("backup", "--output", centre)
    dump = centre / "database.dump"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size * 2 // 3])
    files = json.loads((centre / "manifest.json").read_text())["files"]
    alter(centre / "manifest.json", files={**files, "database.dump": sha256(dump)})
    Tenant.objects.update(name="still here")
    with pytest.raises(CommandError, match=r"as it was|cannot read"):
        run("restore", centre, "--force")
    assert Tenant.objects.get().name == "still here" and Call.objects.count() == 1


def test_recordings_that_changed_or_are_gone_are_named(centre: Path, settings: Any) -> None:
    Recording.objects.create(id="r2", call_id="c1", leg_id="c1-in", path="a/r2.wav", asked_at="2026-11-26T10:00:00Z")
    second = write(settings.RECORDINGS_DIR / "a" / "r2.wav", b"RIFF two")
    run("backup", "--output", centre)
    second.unlink()
    write(settings.RECORDINGS_DIR / "a" / "r1.wav", b"RIFF other")
    said = run("restore", centre, "--force")
    assert "1 recordings missing" in said and "a/r2.wav" in said
    assert "1 recordings different" in said and "a/r1.wav" in said


def test_sound_is_read_when_the_databases_snapshot_is_over(centre: Path, settings: Any) -> None:
    """Hours of reading in a transaction would keep every row that is deleted or replaced meanwhile."""
    open_then = set()

    def look(what: str, done: int, total: int) -> None:
        if what == "recordings":
            with connections.create_connection("default").cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'")
                open_then.add(cursor.fetchone()[0])

    make(centre, look)
    assert open_then == {0}
    assert not [path for path in centre.iterdir() if path.name.startswith(".")]


def test_a_recording_that_goes_while_the_backup_is_made_counts_as_missing(centre: Path, settings: Any) -> None:
    file = settings.RECORDINGS_DIR / "a" / "r1.wav"

    def take_away(what: str, done: int, total: int) -> None:
        if what == "database":
            file.unlink(missing_ok=True)

    manifest = make(centre, take_away, copy_recordings=True)
    assert (manifest.recordings, manifest.recordings_missing) == (1, 1)
