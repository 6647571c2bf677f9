"""Calls that only the switch knows come into the history, once, from files that a real FreeSWITCH wrote."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Tenant
from apps.calls.models import Call, Leg, Segment
from apps.calls.services import record_facts
from apps.operations.cdr.record import BadRecord, read
from apps.operations.cdr.sweep import Count, sweep
from apps.operations.models import SwitchRecord
from apps.telephony.models import Did, Switch
from tests.apps.facts_of_calls import arrival, ending, f, stored

pytestmark = pytest.mark.django_db
FILES = Path(__file__).resolve().parents[3] / "fixtures" / "cdr"


@pytest.fixture
def inbox(story: Tenant, settings: Any, tmp_path: Path) -> Path:
    """Where the story's switch puts its files."""
    settings.CDR_DIR = tmp_path
    directory = tmp_path / Switch.objects.get().name / "json_cdr"
    directory.mkdir(parents=True)
    return directory


def put(inbox: Path, name: str, **changes: str) -> Path:
    """A settled file, with variables replaced."""
    path = inbox / f"{name}.cdr.json"
    shutil.copy(FILES / f"{name}.cdr.json", path)
    if changes:
        data = json.loads(path.read_bytes().decode(errors="replace"))
        data["variables"].update(changes)
        path.write_text(json.dumps(data))
    os.utime(path, (1, 1))
    return path


def served_by_fallback(inbox: Path) -> Path:
    """The engine had tagged this call before it died; without the tag it is one that nobody ever saw."""
    return put(inbox, "missed_fallback_answered", trunkline_leg="")


def test_a_call_that_no_engine_saw_is_added(inbox: Path, story: Tenant) -> None:
    path = served_by_fallback(inbox)
    assert sweep() == Count(imported=1)
    call = Call.objects.get()
    assert call.pk == "cdr-b90c1917-0a31-4313-be7d-61241d66a62f"
    assert (call.tenant, call.did, call.caller_number) == (story, "4008005566", "13300000000")
    assert (call.outcome, call.cause, call.direction) == ("overflowed", "normal", "inbound")
    assert call.talk_ms == 107_569 - 71_589 and call.ended_at and call.started_at.timestamp() == 1795693030.469
    segment = Segment.objects.get()
    assert (segment.kind, segment.detail, segment.duration_ms) == ("transfer", "fallback 02155550199", call.talk_ms)
    assert Leg.objects.get().raw_cause == "NORMAL_CLEARING"
    assert not path.exists()


def test_the_same_file_twice_is_one_call(inbox: Path) -> None:
    for _ in range(2):
        served_by_fallback(inbox)
        sweep()
    assert Call.objects.count() == SwitchRecord.objects.count() == 1


def test_who_gave_up_and_who_was_not_helped_are_told_apart(inbox: Path) -> None:
    put(inbox, "missed_left_at_fallback", trunkline_leg="")
    sweep()
    assert Call.objects.get().outcome == "failed"
    put(inbox, "missed_left_at_fallback", trunkline_leg="", trunkline_fallback="", uuid="another")
    sweep()
    assert Call.objects.get(pk="cdr-another").outcome == "abandoned"


def test_a_call_that_the_engine_told_of_is_left_as_it_is(inbox: Path) -> None:
    uuid = "2354647a-3238-48f5-b1e8-87ae8132bb10"
    facts = [*arrival("c1", leg=uuid), *ending("c1", 1_790_000_000_000, f.CallOutcome.SERVED)]
    record_facts(stored(facts))
    before = Call.objects.values().get()
    put(inbox, "known_customer")
    put(inbox, "known_agent")
    assert sweep() == Count(known=1, other_legs=1)
    assert Call.objects.values().get() == before
    assert SwitchRecord.objects.get(pk=uuid).call_id == "c1"


def test_a_call_whose_facts_are_lost_comes_back_under_its_own_id(inbox: Path) -> None:
    put(inbox, "known_customer")
    assert sweep() == Count(imported=1)
    assert Call.objects.get().pk == "1y3oyh-c2"


def test_legs_that_the_switch_dialled_are_no_calls(inbox: Path) -> None:
    put(inbox, "missed_fallback_answered_b_leg")
    assert sweep() == Count(other_legs=1)
    assert not Call.objects.exists()


def test_a_number_that_nobody_has_belongs_to_no_tenant(inbox: Path) -> None:
    assert not Did.objects.filter(number="4001234567").exists()
    put(inbox, "missed_unknown_number")
    sweep()
    call = Call.objects.get()
    assert (call.outcome, call.tenant_id) == ("unknown_did", None)


def test_what_a_caller_sends_is_text_and_nothing_else(inbox: Path) -> None:
    put(inbox, "known_name_not_utf8")
    sweep()
    assert "\ufffd" in Call.objects.get().caller_name
    put(inbox, "missed_fallback_answered", trunkline_leg="", uuid="x", trunkline_did="4008005566%00%0A%3Cb%3E")
    sweep()
    assert Call.objects.get(pk="cdr-x").did == "4008005566  <b>"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"not json", b'{"variables": {}, "callflow": []}',
        b'{"variables": {"uuid": "u", "start_uepoch": "soon"}, "callflow": [{"caller_profile": {}}]}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_record_is_put_aside(inbox: Path, content: bytes) -> None:
    path = inbox / "odd.cdr.json"
    path.write_bytes(content)
    os.utime(path, (1, 1))
    with pytest.raises(BadRecord):
        read(path)
    good = served_by_fallback(inbox)
    assert sweep() == Count(imported=1, refused=1)
    assert not path.exists() and not good.exists()
    assert [item.name for item in inbox.parent.rglob("refused/*")] == ["odd.cdr.json"]
    assert sweep() == Count(), "and not looked at again"


def test_one_file_that_cannot_be_moved_keeps_no_other_back(inbox: Path) -> None:
    """Whatever the reason: here there is a file where the directory for refused ones would be."""
    (inbox.parent / "refused").write_text("")
    odd = inbox / "a.cdr.json"
    odd.write_bytes(b"not json")
    os.utime(odd, (1, 1))
    served_by_fallback(inbox)
    assert sweep() == Count(imported=1, stuck=1)
    assert odd.exists() and Call.objects.count() == 1


def test_young_files_wait(inbox: Path) -> None:
    path = served_by_fallback(inbox)
    os.utime(path)
    assert sweep() == Count(waiting=1)
    assert path.exists() and sweep(settle_s=0) == Count(imported=1)


def test_links_out_of_the_directory_are_not_followed(inbox: Path, tmp_path: Path) -> None:
    target = served_by_fallback(tmp_path)
    (inbox / "link.cdr.json").symlink_to(target)
    assert sweep() == Count() and target.exists()


def test_the_engine_s_word_comes_first(inbox: Path, settings: Any) -> None:
    settings.ENGINE_URL = "http://127.0.0.1:1"
    served_by_fallback(inbox)
    with pytest.raises(CommandError, match="its own word comes first"):
        call_command("sweep_cdr")
    out = io.StringIO()
    call_command("sweep_cdr", "--even-so", stdout=out, stderr=io.StringIO())
    assert out.getvalue().startswith("1 calls added, 0 known already")
