"""What is old goes, whole; what is young, held or cannot go stays, whole."""

from __future__ import annotations

import dataclasses
import datetime
import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from django.utils import timezone

from apps.accounts.models import Tenant, User
from apps.calls.models import Call, FactRecord, Leg, Segment
from apps.calls.services import record_facts
from apps.core import facts as f
from apps.customers.models import ImportJob
from apps.operations import disk
from apps.operations.models import LegalHold
from apps.operations.retention import files, sweep
from apps.operations.tasks import retention as retention_task
from apps.recordings.models import Recording
from apps.reports.models import RaisedAlarm, ShelvedAlarm
from apps.telephony.models import Switch
from apps.webhooks.models import Delivery, Endpoint
from tests.apps.facts_of_calls import served_call, stored

pytestmark = pytest.mark.django_db
DAY_MS = 86_400_000


@pytest.fixture
def history(story: Tenant, settings: Any, tmp_path: Path) -> Tenant:
    """A recorded call of each age in days: 1, 40, 100."""
    settings.RECORDINGS_DIR = tmp_path
    for number, age in enumerate((1, 40, 100)):
        a_call(story, f"c{age}", age, epoch=f"e{number}")
    return story


def a_call(tenant: Tenant, name: str, age_days: int, epoch: str = "e") -> Path:
    switch = Switch.objects.get()
    at = int(time.time() * 1000) - age_days * DAY_MS
    facts = [_of_tenant(fact, tenant) for fact in served_call(name, at)]
    path = f"cloudbridge/{name}.wav"
    key: dict[str, Any] = {"tenant": str(tenant.pk), "call": name, "recording": f"{name}-r"}
    facts += [
        f.RecordingAsked(at_ms=at, leg=f"{name}-in", switch=str(switch.pk), path=path, **key),
        f.RecordingEnded(at_ms=at + 1000, duration_ms=1000, **key),
    ]
    record_facts(stored(facts, epoch))
    return sound(Path(files.settings.RECORDINGS_DIR) / switch.name / path)


def _of_tenant(fact: f.Fact, tenant: Tenant) -> f.Fact:
    return dataclasses.replace(fact, tenant=str(tenant.pk))


def sound(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF" + bytes(996))
    return path


def keep(tenant: Tenant, **days: int | None) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(**{f"keep_{name}_days": value for name, value in days.items()})


def calls() -> set[str]:
    return set(Call.objects.values_list("pk", flat=True))


def recorded(root: Path) -> tuple[set[str], set[str]]:
    """Rows and files; always the same names."""
    rows = {name.removesuffix("-r") for name in Recording.objects.values_list("pk", flat=True)}
    return rows, {path.stem for path in root.rglob("*.wav")}


def line(lines: list[sweep.Line], kind: str, owner: str = "cloudbridge") -> sweep.Line:
    return next(item for item in lines if (item.kind, item.owner) == (kind, owner))


def test_nothing_goes_while_no_days_are_set(history: Tenant, tmp_path: Path) -> None:
    assert not any(item.deleted for item in sweep.run())
    assert calls() == {"c1", "c40", "c100"} == recorded(tmp_path)[0]


def test_recordings_go_with_their_files_and_calls_stay(history: Tenant, tmp_path: Path) -> None:
    keep(history, recordings=30)
    lines = sweep.run()
    assert (line(lines, "recordings").deleted, line(lines, "recordings").freed_bytes) == (2, 2000)
    assert recorded(tmp_path) == ({"c1"}, {"c1"})
    assert calls() == {"c1", "c40", "c100"}


def test_the_sound_of_who_is_forgotten_goes_however_long_sound_is_kept(history: Tenant, tmp_path: Path) -> None:
    Recording.objects.filter(call__in=["c1", "c40"]).update(forgotten_at=timezone.now())
    LegalHold.objects.create(tenant=history, call_id="c40", reason="complaint 7")
    sweep.run()
    assert recorded(tmp_path) == ({"c40", "c100"}, {"c40", "c100"})
    assert calls() == {"c1", "c40", "c100"}


def test_alarms_go_with_the_calls_of_their_time(history: Tenant) -> None:
    keep(history, calls=30)
    old, now = timezone.now() - datetime.timedelta(days=40), timezone.now()
    for name, raised, cleared in (("old", old, now), ("open", old, None), ("young", now, now)):
        RaisedAlarm.objects.create(
            tenant=history, kind="trunk_down", subject=name, raised_at=raised, cleared_at=cleared
        )
        ShelvedAlarm.objects.create(tenant=history, kind="trunk_down", subject=name, until=raised, reason="known")
    sweep.run()
    assert set(RaisedAlarm.objects.values_list("subject", flat=True)) == {"open", "young"}
    assert set(ShelvedAlarm.objects.values_list("subject", flat=True)) == {"young"}


def test_calls_go_with_all_that_hangs_on_them(history: Tenant, tmp_path: Path) -> None:
    keep(history, recordings=30, calls=60)
    sweep.run()
    assert calls() == {"c1", "c40"}
    for model in (Leg, Segment):
        assert set(model.objects.values_list("call_id", flat=True)) == {"c1", "c40"}
    assert not FactRecord.objects.filter(call="c100").exists(), "facts go with their call"
    assert FactRecord.objects.filter(call="c40").exists()


def test_a_recorded_call_waits_for_its_recording(history: Tenant, tmp_path: Path) -> None:
    keep(history, calls=30)
    sweep.run()
    assert calls() == {"c1", "c40", "c100"} == recorded(tmp_path)[1]


def test_a_legal_hold_keeps_everything_of_a_call(history: Tenant, tmp_path: Path) -> None:
    keep(history, recordings=30, calls=30)
    hold = LegalHold.objects.create(tenant=history, call_id="c100", reason="complaint 7")
    lines = sweep.run()
    assert line(lines, "recordings").held == line(lines, "calls").held == 1
    assert calls() == {"c1", "c100"} and recorded(tmp_path) == ({"c1", "c100"}, {"c1", "c100"})
    assert FactRecord.objects.filter(call="c100").exists()
    LegalHold.objects.filter(pk=hold.pk).update(released_at=timezone.now())
    sweep.run()
    assert calls() == {"c1"} == recorded(tmp_path)[1]


def test_another_tenant_keeps_its_own(history: Tenant, other_tenant: Tenant, tmp_path: Path) -> None:
    a_call(other_tenant, "theirs", 100, epoch="other")
    keep(history, recordings=1, calls=1)
    sweep.run()
    assert "theirs" in calls() and "theirs" in recorded(tmp_path)[1]


def test_rows_of_nobody_are_kept_as_long_as_anybody_s(history: Tenant, other_tenant: Tenant) -> None:
    Call.objects.create(id="unknown_did", started_at=timezone.now() - datetime.timedelta(days=70))
    keep(history, calls=30)
    keep(other_tenant, calls=None)
    sweep.run()
    assert "unknown_did" in calls()
    keep(other_tenant, calls=60)
    sweep.run()
    assert "unknown_did" not in calls()


def test_it_goes_on_in_batches(history: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number in range(7):
        a_call(history, f"old{number}", 200, epoch=f"old{number}")
    monkeypatch.setattr(sweep, "BATCH", 3)
    keep(history, recordings=30, calls=30)
    steps: list[tuple[str, int, int]] = []
    sweep.run(progress=lambda *step: steps.append(step))
    assert calls() == {"c1"} == recorded(tmp_path)[0]
    assert [done for kind, done, due in steps if kind == "calls"] == [3, 6, 9]


def test_deliveries_and_imports_go_when_they_are_over(story: Tenant) -> None:
    old = timezone.now() - datetime.timedelta(days=40)
    endpoint = Endpoint.objects.create(tenant=story, url="https://example.com/hook", events=[])
    for name in ("pending", "delivered"):
        Delivery.objects.create(
            tenant=story, endpoint=endpoint, message_id=name, event="call.ended", payload={}, status=name,
            created_at=old, due_at=old, give_up_at=old,
        )  # fmt: skip
    for finished in (old, None):
        ImportJob.objects.create(tenant=story, file_name="a.csv", size_bytes=1, kind="csv", finished_at=finished)
    keep(story, deliveries=30, imports=30)
    sweep.run()
    assert Delivery.objects.get().message_id == "pending"
    assert ImportJob.objects.get().finished_at is None


def test_the_audit_log_goes_by_the_days_of_who_did_it(story: Tenant, other_tenant: Tenant) -> None:
    for username in ("admin", "otheradmin", None):
        actor = User.objects.get(username=username) if username else None
        entry = LogEntry.objects.log_create(story, force_log=True, action=LogEntry.Action.UPDATE, actor=actor)
        old = timezone.now() - datetime.timedelta(days=100)
        LogEntry.objects.filter(pk=entry.pk).update(timestamp=old, additional_data={"for": username})
    keep(story, audit=90)
    keep(other_tenant, audit=None)
    sweep.run()
    left = LogEntry.objects.exclude(additional_data=None).values_list("additional_data__for", flat=True)
    assert set(left) == {"otheradmin", None}, "what nobody did is kept as long as anybody keeps"


# --- file and row, both or neither ---


def test_a_file_that_cannot_go_keeps_its_row(history: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "c40.wav":
            raise PermissionError(13, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    keep(history, recordings=30)
    lines = sweep.run()
    assert recorded(tmp_path) == ({"c1", "c40"}, {"c1", "c40"})
    assert line(lines, "recordings").trouble == "1 stay (c40-r: Permission denied)"
    with pytest.raises(CommandError, match="Permission denied"):
        call_command("retention", stdout=io.StringIO(), stderr=io.StringIO())


def test_a_row_that_cannot_go_keeps_its_file(history: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("gone away")

    recording = Recording.objects.get(pk="c40-r")
    monkeypatch.setattr(files.transaction, "atomic", refuse)
    with pytest.raises(DatabaseError):
        files.remove(recording)
    assert "c40" in recorded(tmp_path)[0] and "c40" in recorded(tmp_path)[1]


def test_recordings_that_are_not_mounted_are_not_forgotten(history: Tenant, settings: Any, tmp_path: Path) -> None:
    settings.RECORDINGS_DIR = tmp_path / "not-here"
    keep(history, recordings=30)
    assert "not mounted" in line(sweep.run(), "recordings").trouble
    assert Recording.objects.count() == 3


def test_a_killed_run_is_finished_or_undone(history: Tenant, tmp_path: Path) -> None:
    known = next(tmp_path.rglob("c40.wav"))
    known.rename(known.with_name(files.ASIDE + known.name))
    gone = sound(known.with_name(files.ASIDE + "forgotten.wav"))
    assert files.tidy() == 2
    assert known.exists() and not gone.exists()


def test_what_stands_in_the_old_place_by_now_is_not_written_over(history: Tenant, tmp_path: Path) -> None:
    known = next(tmp_path.rglob("c40.wav"))
    known.rename(known.with_name(files.ASIDE + known.name))
    known.write_bytes(b"of another")
    files.tidy()
    assert known.read_bytes() == b"of another"


def test_two_runs_do_not_meet(history: Tenant, tmp_path: Path) -> None:
    """The second would put back, or end, what the first has just put aside."""
    keep(history, recordings=30)
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [sweep.RUN_LOCK])
        with pytest.raises(CommandError, match="another retention run"):
            call_command("retention")
        retention_task()
        assert Recording.objects.count() == 3
        cursor.execute("SELECT pg_advisory_unlock(%s)", [sweep.RUN_LOCK])
    other.close()
    call_command("retention", stdout=io.StringIO(), stderr=io.StringIO())
    assert Recording.objects.count() == 1


def test_a_path_outside_is_never_touched(history: Tenant, tmp_path: Path) -> None:
    outside = sound(tmp_path / "elsewhere.wav")
    Recording.objects.filter(pk="c100-r").update(path="../elsewhere.wav")
    keep(history, recordings=30)
    sweep.run()
    assert outside.exists()


def test_files_that_no_row_knows_are_reported_and_left(history: Tenant, tmp_path: Path) -> None:
    stray = sound(tmp_path / Switch.objects.get().name / "cloudbridge" / "stray.wav")
    assert disk.look_for_unknown() == [], "the recorder may be behind"
    os.utime(stray, (1, 1))
    assert disk.look_for_unknown() == [stray] and stray.exists()


# --- the command ---


def test_a_dry_run_says_what_would_go_and_deletes_nothing(history: Tenant, tmp_path: Path) -> None:
    keep(history, recordings=30, calls=60)
    LegalHold.objects.create(tenant=history, call_id="c100", reason="complaint 7")
    out = io.StringIO()
    call_command("retention", "--dry-run", stdout=out)
    rows = {tuple(text.split()[:2]): text.split() for text in out.getvalue().splitlines()[1:-1]}
    assert rows["cloudbridge", "recordings"][-3:] == ["1", "1", "0"]
    assert rows["cloudbridge", "calls"][-3:] == ["0", "1", "0"]
    assert "Nothing was deleted" in out.getvalue()
    assert len(calls()) == len(recorded(tmp_path)[1]) == 3


def test_an_unknown_tenant_is_said(story: Tenant) -> None:
    with pytest.raises(CommandError, match="no tenant with the code 'nowhere'"):
        call_command("retention", "--tenant", "nowhere")
