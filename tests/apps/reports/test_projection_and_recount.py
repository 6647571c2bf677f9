"""The wall's figures equal a recount from PostgreSQL at rest: over simulated days with faults, from any start."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.calls.models import AgentStateSpan, CallDisposition, Segment
from apps.calls.services import record_facts
from apps.core import facts as f
from apps.reports.day.figures import figures, works
from apps.reports.day.tally import ANSWERED_WORDS
from apps.reports.recount import count_today, one_moment, position
from tests.apps.facts_of_calls import T0, arrival, ending, queued, stored
from tests.apps.live import centre
from tests.apps.reports.days import RULES, folded, shown, simulated_day

SEEDS = range(3)
SERVED = f.CallOutcome.SERVED


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_folded_equals_the_day_recounted(seed: int) -> None:
    """From its beginning, and from wherever history stood when the web began: also in mid-call.

    One day a seed is stored, for all that is compared: storing it is what takes the time.
    """
    facts = simulated_day(seed)
    cut = random.Random(seed).randrange(len(facts) // 4, len(facts) * 3 // 4)
    record_facts(stored(facts)[:cut])
    begun = count_today(facts[cut].at_ms, RULES)
    record_facts(stored(facts)[cut:])
    now_ms = facts[-1].at_ms + 1
    recount = shown(count_today(now_ms, RULES), now_ms)
    assert shown(folded(facts), now_ms) == recount
    assert shown(folded(facts[cut:], begun), now_ms) == recount
    _was_worth_counting(recount)
    _agrees_with_counting_row_by_row(recount["figures"]["total"])
    _notices_a_doctored_row(recount, now_ms)


def _was_worth_counting(day: dict[str, Any]) -> None:
    """Served, lost, wrapped up, in both queues, several quarters and by several agents."""
    total = day["figures"]["total"]
    assert total["offered"] > 50 and total["answered"] > 30 and total["abandoned"] and total["flowed_out"]
    assert total["aht_ms"] and total["asa_ms"] and len(day["quarters"]) >= 2 and {"1", "2"} <= day["figures"].keys()
    assert sum(work["handling_ms"] > 0 and work["ready_ms"] > 0 for work in day["works"].values()) > 1


def _agrees_with_counting_row_by_row(total: dict[str, Any]) -> None:
    """A third way, too slow for the wall: no SQL and no projection."""
    waits = list(Segment.objects.filter(kind="queue", ended_at__isnull=False))
    answered = [row.duration_ms or 0 for row in waits if row.outcome in ANSWERED_WORDS]
    talks = Segment.objects.filter(kind__in=("talk", "hold", "consult", "conference"), agent_id__isnull=False)
    handling_ms = sum(row.duration_ms or 0 for row in talks) + sum(
        row.wrap_up_ms for row in CallDisposition.objects.filter(agent_id__isnull=False)
    )
    assert total["answered"] == len(answered) and total["asa_ms"] == round(sum(answered) / len(answered))
    assert total["abandoned"] == sum(row.outcome == "abandoned" for row in waits)
    called_back = [row for row in talks if row.kind == "hold" and not row.leg_id]
    assert total["handled"] == sum(
        row.outcome not in ("held", "connected", "consulting", "merged") for row in talks if row not in called_back
    ) - sum(row.outcome == "connected" for row in called_back)
    assert total["aht_ms"] == round(handling_ms / total["handled"])


def _notices_a_doctored_row(recount: dict[str, Any], now_ms: int) -> None:
    """The comparisons above can fail."""
    row = Segment.objects.filter(kind="queue", outcome="answered").first()
    assert row is not None
    Segment.objects.filter(pk=row.pk).update(outcome="abandoned")
    assert shown(count_today(now_ms, RULES), now_ms)["figures"] != recount["figures"]
    ready = AgentStateSpan.objects.filter(state="READY", ended_at__isnull=False)
    span = ready.annotate(lasted=F("ended_at") - F("started_at")).order_by("-lasted").first()
    assert span is not None
    AgentStateSpan.objects.filter(pk=span.pk).update(state="PAUSED")
    assert shown(count_today(now_ms, RULES), now_ms)["works"] != recount["works"]


def rejoined_call(key: dict[str, Any], failed: bool) -> list[f.Fact]:
    """A talk of 20 s, 8 s of music while the agent's telephone is called back; then 22 s more, or nobody comes."""
    at, agent, queue, other = T0, "1", "1", "c1-in"

    def leg(n: int, begin: int, end: int) -> list[f.Fact]:
        return [
            f.CallBridged(at_ms=begin, leg=f"a{n}", other=other, agent=agent, queue=queue, **key),
            f.CallUnbridged(at_ms=end, leg=f"a{n}", other=other, talked_ms=end - begin, deadline_ms=end + 3000, **key),
        ]

    away = f.RejoinStarted(
        at_ms=at + 20_000, agent=agent, queue=queue, left="a1", held=False, muted=False, deadline_ms=at + 23_000,
        until_ms=at + 50_000, **key,
    )  # fmt: skip
    back = (
        [f.RejoinFailed(at_ms=at + 28_000, agent=agent, reason=f.RejoinEnd.TIMED_OUT, **key)]
        if failed
        else leg(2, at + 28_000, at + 50_000)
    )
    done = f.CallDisposed(at_ms=at + 55_000, agent=agent, disposition="done", note="", wrap_up_ms=5000, **key)
    return [*arrival("c1", at), *leg(1, at, at + 20_000), away, *back, *ending("c1", at + 50_000, SERVED), done]


@pytest.mark.django_db
@pytest.mark.parametrize(("failed", "aht_ms"), [(False, 55_000), (True, 33_000)])
def test_a_talk_that_goes_on_by_another_telephone_is_handled_once(failed: bool, aht_ms: int) -> None:
    """A page loaded anew in mid-talk is no second conversation, and the music meanwhile is part of the one."""
    facts = rejoined_call({"tenant": "1", "call": "c1"}, failed)
    now_ms = facts[-1].at_ms + 1
    for cut in range(len(facts)):
        record_facts(stored(facts)[: cut + 1])
        begun = count_today(now_ms, RULES)
        total = figures(folded(facts[cut + 1 :], begun), 1, now_ms)["figures"]["total"]
        assert (total["handled"], total["aht_ms"]) == (1, aht_ms), cut


@pytest.mark.django_db
def test_a_wait_whose_end_was_lost_is_not_the_longest_for_ever() -> None:
    """Its engine's journal went before the end was told; a call of today waits on."""
    day_ms = 86_400_000
    record_facts(stored([*arrival("c1"), *queued("c1", T0), *arrival("c2", T0 + day_ms), *queued("c2", T0 + day_ms)]))
    now_ms = T0 + day_ms + 30_000
    assert figures(count_today(now_ms, RULES), 1, now_ms)["figures"]["total"]["longest_wait_ms"] == 30_000


def test_of_some_queues_the_total_is_theirs() -> None:
    """What a leader of teams sees: each queue as everybody sees it, and their sum."""
    facts = simulated_day(1)
    day, now_ms = folded(facts), facts[-1].at_ms + 1
    whole, some = shown(day, now_ms), figures(day, 1, now_ms, frozenset({2}))
    assert some["figures"].keys() == {"2", "total"} and some["figures"]["2"] == whole["figures"]["2"]
    mine = {name: value for name, value in some["figures"]["2"].items() if name not in ("id", "threshold_ms")}
    assert mine == {name: value for name, value in some["figures"]["total"].items() if name != "id"}
    assert sum(quarter["offered"] for quarter in some["quarters"].values()) == mine["offered"]
    assert figures(day, 1, now_ms, frozenset())["figures"]["total"]["offered"] == 0


class AnyFacts(TestCase):
    """Not only what an engine would say: facts of two tenants in any order, whether or not they fit together."""

    @settings(max_examples=40, deadline=None)
    @given(st.lists(centre.facts(), max_size=60), st.data())
    def test_fold_and_recount_agree(self, facts: list, data: st.DataObject) -> None:
        facts = sorted(facts, key=lambda fact: fact.at_ms)
        cut = data.draw(st.integers(0, len(facts)))
        record_facts(stored(facts)[:cut])
        begun = folded(facts[cut:], count_today(centre.START_MS + 300_000, RULES))
        record_facts(stored(facts)[cut:])
        now_ms = centre.START_MS + 700_000
        recount = count_today(now_ms, RULES)
        for tenant in (1, 2):
            assert figures(begun, tenant, now_ms) == figures(recount, tenant, now_ms)
        assert works(begun, 1, now_ms) == works(recount, 1, now_ms)


@pytest.mark.django_db(transaction=True)
def test_one_moment_sees_no_half_of_a_batch() -> None:
    facts = simulated_day(2)[:200]
    with one_moment():
        assert position("e1") == 0
    record_facts(stored(facts))
    with one_moment():
        assert position("e1") == 200 and position("e2") == 0
