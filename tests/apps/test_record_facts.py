"""History is what the facts say: complete, consistent, and the same however often a batch comes."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Tenant
from apps.calls.models import AgentStateSpan, Call, CallDisposition, Decision, FactRecord, Leg, Segment
from apps.calls.services import StoredFact, record_facts
from apps.core import facts as f
from apps.core.config import CenterConfig
from apps.core.events import HangupCause, LegRole
from apps.recordings.models import Recording
from apps.reports.day.rules import Rules
from apps.reports.day.tally import Tally
from apps.reports.day.today import Today
from tests.apps.facts_of_calls import T0, arrival, consulted_call, ending, queued, served_call, stored, transferred_call

pytestmark = pytest.mark.django_db

TABLES = (Call, Leg, Segment, Decision, CallDisposition, AgentStateSpan, Recording, FactRecord)


def everything() -> dict[str, list[str]]:
    """All of history, without keys that PostgreSQL counts."""
    return {model.__name__: sorted(map(_content, model.objects.values())) for model in TABLES}


def _content(row: dict[str, Any]) -> str:
    return str({key: value for key, value in row.items() if key != "id" or isinstance(value, str)})


def segments(call: str) -> list[tuple[str, int | None, str]]:
    return list(Segment.objects.filter(call=call).order_by("sequence").values_list("kind", "duration_ms", "outcome"))


def test_a_served_call_is_complete() -> None:
    record_facts(stored(served_call("c1")))
    call = Call.objects.get(pk="c1")
    assert (call.outcome, call.cause, call.direction) == ("served", "normal", "inbound")
    assert (call.wait_ms, call.talk_ms, call.hold_ms, call.wrap_up_ms) == (12_000, 50_000, 10_000, 8_000)
    assert (call.first_queue_id, call.last_queue_id, call.last_agent_id) == (1, 1, 2)
    assert call.started_at.timestamp() * 1000 == T0
    assert call.connected_at and call.connected_at.timestamp() * 1000 == T0 + 17_000
    assert segments("c1") == [
        ("ivr", 4980, "queued"),
        ("queue", 12_000, "answered"),
        ("talk", 20_000, "held"),
        ("hold", 10_000, "connected"),
        ("talk", 30_000, "ended"),
    ]
    assert list(Decision.objects.order_by("at").values_list("agent_id", "outcome")) == [
        (1, "no_answer"),
        (2, "answered"),
    ]
    assert Leg.objects.filter(call="c1", ended_at=None).count() == 0
    assert CallDisposition.objects.get(call="c1").note == "账单已核对"


def test_a_consult_and_a_three_way_are_segments_of_one_call() -> None:
    record_facts(stored(consulted_call("c1")))
    call = Call.objects.get(pk="c1")
    assert segments("c1")[2:] == [
        ("talk", 10_000, "consulting"),
        ("consult", 10_000, "connected"),
        ("talk", 4_000, "merged"),
        ("conference", 6_000, "left"),
        ("talk", 8_000, "ended"),
    ]
    assert (call.talk_ms, call.hold_ms, call.wait_ms) == (28_000, 10_000, 8_000), "who asked did not wait as a caller"
    who = Segment.objects.filter(call="c1", kind__in=("consult", "conference")).values_list(
        "agent_id", "other_agent_id"
    )
    assert list(who) == [(1, 2), (1, 2)]
    assert (call.first_queue_id, call.last_queue_id, call.last_agent_id) == (1, 1, 2)


def test_a_consulted_call_is_handled_once_by_each_of_its_agents() -> None:
    today = Today(rules=Rules())
    for fact in consulted_call("c1"):
        today.fold(fact)
    total = Tally()
    for tally in today.tallies.values():
        total.add(tally)
    assert (total.offered, total.answered, total.handled) == (1, 1, 2)
    assert (total.talk_ms, total.hold_ms) == (28_000, 10_000)


def test_a_transfer_keeps_both_agents_and_both_queues() -> None:
    record_facts(stored(transferred_call("c1")))
    call = Call.objects.get(pk="c1")
    assert (call.first_queue_id, call.last_queue_id, call.last_agent_id) == (1, 2, 2)
    assert (call.wait_ms, call.talk_ms) == (18_000, 49_990)
    assert [kind for kind, _ms, _outcome in segments("c1")] == ["ivr", "queue", "talk", "transfer", "queue", "talk"]
    assert list(
        Segment.objects.filter(call="c1", kind="talk").order_by("sequence").values_list("agent_id", flat=True)
    ) == [1, 2]


@pytest.mark.parametrize(("outcome", "kind"), [(f.CallOutcome.LEFT_IN_IVR, "ivr"), (f.CallOutcome.ABANDONED, "queue")])
def test_a_caller_who_leaves_ends_the_segment_they_were_in(outcome: f.CallOutcome, kind: str) -> None:
    waiting = queued("c1", T0 + 3000) if kind == "queue" else []
    record_facts(stored([*arrival("c1"), *waiting, *ending("c1", T0 + 9000, outcome)]))
    assert segments("c1")[-1][0::2] == (kind, outcome)
    assert Call.objects.get(pk="c1").outcome == outcome
    assert not Segment.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("seed", range(8))
def test_any_cut_into_batches_with_any_overlap_gives_the_same_history(seed: int) -> None:
    """Batches end anywhere, also inside a call, and repeat what was written before; as after a lost cursor."""
    whole = stored([fact for n in range(4) for fact in _interleaved(n)])
    chance = random.Random(seed)
    at = 0
    while at < len(whole):
        first = max(0, at - chance.randrange(12))
        at = min(len(whole), at + chance.randrange(1, 20))
        record_facts(whole[first:at])
    cut = everything()
    for model in TABLES:
        model.objects.all().delete()
    assert record_facts(whole) == len(whole)
    assert everything() == cut


def _interleaved(n: int) -> list[f.Fact]:
    calls = [served_call(f"s{n}", T0 + n * 1000), transferred_call(f"t{n}", T0 + n * 1000)]
    states = [
        _state("READY", T0 + n * 200_000),
        _state("TALKING", T0 + n * 200_000 + 5000),
        _state("LOGGED_OUT", T0 + n * 200_000 + 9000),
    ]
    return [fact for pair in zip(*calls, strict=False) for fact in pair] + _rest(calls) + states


def _rest(calls: list[list[f.Fact]]) -> list[f.Fact]:
    shortest = min(map(len, calls))
    return [fact for call in calls for fact in call[shortest:]]


def _state(state: str, at: int, agent: str = "7") -> f.Fact:
    return f.AgentStateChanged(at_ms=at, tenant="1", agent=agent, state=state, prior="")


def test_a_repeated_batch_changes_nothing() -> None:
    batch = stored(served_call("c1"))
    assert record_facts(batch) == len(batch)
    before = everything()
    assert record_facts(batch) == 0
    assert record_facts(batch + batch) == 0
    assert everything() == before


def test_the_same_seq_of_another_epoch_is_another_fact() -> None:
    record_facts(stored(arrival("c1"), epoch="e1"))
    assert record_facts(stored(arrival("c2"), epoch="e2")) == 3
    assert Call.objects.count() == 2


def test_agent_states_follow_one_another_without_gaps() -> None:
    steps = [("PAUSED", 0), ("READY", 5000), ("OFFERED", 9000), ("TALKING", 11_000), ("LOGGED_OUT", 30_000)]
    record_facts(stored([_state(state, T0 + at) for state, at in steps]))
    spans = list(AgentStateSpan.objects.order_by("started_at"))
    assert [span.state for span in spans] == ["PAUSED", "READY", "OFFERED", "TALKING"]
    assert all(left.ended_at == right.started_at for left, right in itertools.pairwise(spans))
    assert spans[-1].ended_at and spans[-1].ended_at.timestamp() * 1000 == T0 + 30_000


def test_a_number_never_reached_is_the_agents_call_with_no_leg_of_a_customer() -> None:
    key: dict[str, Any] = {"tenant": "1", "call": "c9"}
    dial = [
        f.CallStarted(
            at_ms=T0, leg="c9-out", switch="1", direction=f.Direction.OUTBOUND, did="4008005566",
            caller_number="13912345678", caller_name="", trunk="carrier", customer="7", attached={"order": "A1"}, **key,
        ),
        f.DialStarted(
            at_ms=T0, agent="2", leg="c9-a1", number="13912345678", caller_number="4008005566", trunk="1",
            prior="READY", prior_reason="", deadline_ms=T0 + 25_000, cmd_id="x", **key,
        ),
        f.LegStarted(at_ms=T0, leg="c9-a1", switch="1", role=LegRole.AGENT, address="1002", agent="2", **key),
        f.LegEnded(at_ms=T0 + 20_000, leg="c9-a1", cause=HangupCause.NO_ANSWER, **key),
        f.DialEnded(
            at_ms=T0 + 20_000, agent="2", number="13912345678", outcome=f.DialOutcome.DEVICE,
            cause=HangupCause.NO_ANSWER, **key,
        ),
        f.CallEnded(at_ms=T0 + 20_000, outcome=f.CallOutcome.NOT_REACHED, cause=HangupCause.NO_ANSWER, **key),
    ]  # fmt: skip
    record_facts(stored(dial))
    call = Call.objects.get(pk="c9")
    assert (call.direction, call.outcome, call.last_agent_id, call.caller_number) == (
        "outbound", "not_reached", 2, "13912345678",
    )  # fmt: skip
    assert list(Leg.objects.filter(call="c9").values_list("role", flat=True)) == ["agent"]
    assert not Leg.objects.filter(call="c9", ended_at=None).exists()


def test_a_recording_goes_through_its_states() -> None:
    key: dict[str, Any] = {"tenant": "1", "call": "c1"}
    asked = f.RecordingAsked(at_ms=T0, recording="r1", leg="c1-in", switch="1", path="2026/09/r1.wav", **key)
    record_facts(stored([*arrival("c1"), asked, f.RecordingBegan(at_ms=T0 + 10, recording="r1", **key)]))
    assert Recording.objects.get(pk="r1").status == "running"
    record_facts(stored([f.RecordingEnded(at_ms=T0 + 900, recording="r1", duration_ms=890, **key)], first=10))
    recording = Recording.objects.get(pk="r1")
    assert (recording.status, recording.duration_ms, recording.path) == ("done", 890, "2026/09/r1.wav")
    record_facts(stored([f.RecordingBroken(at_ms=T0, recording="unknown", reason="disk full", **key)], first=20))


HOSTILE = [
    "\x00",
    "a\x00b",
    "\ud800",
    "x\r\nEvent-Name: HEARTBEAT",
    "\u2028",
    "'; DROP TABLE calls_call; --",
    "%0a",
    "字" * 64_000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_caller_calls_himself_is_recorded(name: str) -> None:
    record_facts(
        stored([*arrival("c1", caller_name=name, caller_number=name), *ending("c1", T0, f.CallOutcome.FAILED)])
    )
    call = Call.objects.get(pk="c1")
    assert call.outcome == "failed"
    assert FactRecord.objects.filter(call="c1").count() == 5
    if "\x00" not in name and "\ud800" not in name:
        assert call.caller_name == call.caller_number == name


def test_rows_deleted_meanwhile_do_not_block_recording(story: Tenant) -> None:
    """Ids of nobody, and ids that are no keys at all."""
    facts = [*arrival("c1", tenant="999999"), *queued("c1", T0 + 5, queue="no-such-queue", tenant="999999")]
    record_facts(stored([*facts, *ending("c1", T0 + 9, f.CallOutcome.ABANDONED), _state("READY", T0, agent="ghost")]))
    call = Call.objects.select_related("tenant", "last_queue").get(pk="c1")
    assert (call.tenant_id, call.tenant, call.last_queue, call.outcome) == (999999, None, None, "abandoned")


def test_a_call_whose_start_was_never_seen_still_has_a_history() -> None:
    record_facts(stored([*queued("c1", T0), *ending("c1", T0 + 4000, f.CallOutcome.ABANDONED)]))
    call = Call.objects.get(pk="c1")
    assert (call.wait_ms, call.outcome) == (4000, "abandoned")


def test_a_mad_clock_does_not_stop_the_recording() -> None:
    record_facts(stored([_state("READY", -5), _state("PAUSED", 10**17)]))
    assert AgentStateSpan.objects.count() == 2


def test_a_configuration_is_kept_by_its_version() -> None:
    record_facts(stored([f.ConfigApplied(at_ms=T0, tenant=None, config=CenterConfig(version=7))]))
    assert FactRecord.objects.get().data["version"] == 7


def test_an_empty_batch_is_nothing() -> None:
    assert record_facts([]) == 0


def test_a_failing_batch_leaves_nothing_behind() -> None:
    """A seq that PostgreSQL cannot hold: the whole batch is refused, so that a later try is complete."""
    from django.db import DataError, transaction

    batch = stored(served_call("c1"))
    with pytest.raises(DataError), transaction.atomic():
        record_facts([*batch, StoredFact("e1", 2**63, _state("READY", T0))])
    assert not FactRecord.objects.exists() and not Call.objects.exists()
    assert record_facts(batch) == len(batch)


def test_the_number_of_queries_does_not_grow_with_the_batch() -> None:
    counts = []
    for calls in (2, 60):
        batch = stored([fact for n in range(calls) for fact in served_call(f"c{calls}x{n}")], epoch=f"e{calls}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            record_facts(batch)
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 2  # bulk inserts may be split
