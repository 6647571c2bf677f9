"""Why an offer went to whom: kept with it, told in words, and decided again to the same answer."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any, get_args

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from apps.accounts.models import Tenant, User
from apps.agents.models import Agent, PauseReason
from apps.calls.decisions import BUSY, names_in, told, trace_of
from apps.calls.models import Call, Decision
from apps.calls.services import record_facts
from apps.core import codec
from apps.core.agents.machine import AgentState
from apps.core.agents.reach import Blocked
from apps.core.facts import AgentOffered, OfferDecided
from apps.core.queues.tracing import KEPT_FREE
from apps.queues.models import Queue
from tests.apps.api.conftest import program_of
from tests.apps.calls.decided import support_call
from tests.apps.conftest import signed_in
from tests.apps.test_admin import fields_of, page


def test_whatever_keeps_an_agent_from_calls_has_a_word() -> None:
    states = {state.lower() for state in AgentState} - {"ready", "logged_out"}
    assert set(BUSY) == {*states, *get_args(Blocked), KEPT_FREE} - {""}


@pytest.fixture
def decision(story: Tenant) -> Decision:
    record_facts(support_call(story))
    return Decision.objects.get()


def test_what_was_decided_from_is_kept_with_the_offer(decision: Decision) -> None:
    trace = trace_of(decision)
    assert trace is not None
    assert (trace.leg, trace.call, int(trace.agent)) == (decision.leg_id, decision.call_id, decision.agent_id)
    assert (decision.rule, decision.ready_agents, decision.waiting_calls) == ("best_skill", 1, 1)
    assert decision.idle_since is not None
    assert Agent.objects.get(pk=decision.agent_id).number == "1010"


def test_a_pause_is_told_by_the_name_that_the_tenant_gave_it(decision: Decision, story: Tenant) -> None:
    code, name = PauseReason.objects.filter(tenant=story).values_list("code", "name")[0]
    trace = trace_of(decision)
    assert trace is not None
    paused = replace(trace, passed_over=tuple(one._replace(detail=code) for one in trace.passed_over))
    with translation.override("zh-hans"):
        assert f"(示忙:{name})" in " ".join(told(paused, names_in([trace])))


def test_the_two_facts_of_an_offer_may_come_in_two_batches(story: Tenant) -> None:
    facts = support_call(story)
    decided = next(at for at, item in enumerate(facts) if isinstance(item.fact, OfferDecided))
    assert isinstance(facts[decided + 1].fact, AgentOffered)
    record_facts(facts[: decided + 1])
    assert Decision.objects.get().idle_since is None
    record_facts(facts[decided + 1 :])
    whole = Decision.objects.get()
    assert whole.idle_since is not None and trace_of(whole) is not None


def test_it_is_told_in_words_of_both_languages(decision: Decision) -> None:
    trace = trace_of(decision)
    assert trace is not None
    names = names_in([trace])
    with translation.override("en"):
        english = told(trace, names)
    assert english[0] == "Required: lang:zh ≥ 1, network ≥ 4."
    assert "Preferred: lang:en 3." in english and "Tiers up to 1 served." in english
    text = " ".join(english)
    assert "1 agent could serve; best skill first: 1010 郑凯 (score 9, idle for 0:00)." in text
    assert "1008 周涛 (lacks network 4)" in text and "1009 吴昊 (tier 3 waits still)" in text
    assert "Not free: 1012 孙悦 (paused: just signed in)" in text
    with translation.override("zh-hans"):
        chinese = " ".join(told(trace, names))
    assert "必需:" in chinese and "缺 network 4 级" in chinese and "could" not in chinese


def test_a_relaxation_is_told_with_its_time(story: Tenant) -> None:
    record_facts(support_call(story, waits_s=35))
    trace = trace_of(Decision.objects.get())
    assert trace is not None and trace.ring == 1
    with translation.override("en"):
        text = " ".join(told(trace, names_in([trace])))
    assert "network ≥ 3" in text and "Relaxation 1 was in force, for 0 s." in text
    assert "1008 周涛 (score 7" in text


def test_a_trace_that_cannot_be_read_is_none(decision: Decision) -> None:
    for trace in (None, {}, [], {"type": "OfferDecided"}, {"type": "NoSuchFact"}, "text", {"type": "CallEnded"}):
        decision.trace = trace
        assert trace_of(decision) is None


# --- where people read it --------------------------------------------------------------------------------------------


def test_the_admin_and_the_calls_page_tell_it(decision: Decision, admin_page: Client) -> None:
    html = admin_page.get(page(Call, "change", decision.call_id)).content.decode()
    assert "1008 周涛 (lacks network 4)" in html
    data = signed_in("huang").get(f"/calls/{decision.call_id}/").context["page"]
    assert any("best skill first" in sentence for sentence in data["offers"][0]["why"])
    data = signed_in("huang", "zh-hans").get(f"/calls/{decision.call_id}/").context["page"]
    assert any("可接待" in sentence for sentence in data["offers"][0]["why"])


def test_who_leads_a_team_is_not_told_the_names_of_another(decision: Decision, story: Tenant) -> None:
    Agent.objects.filter(number="1008").update(team=None)
    data = signed_in("hemin").get(f"/calls/{decision.call_id}/").context["page"]
    text = " ".join(data["offers"][0]["why"])
    assert "somebody else (lacks network 4)" in text and "1009 吴昊" in text and "周涛" not in text


def answer(client: Client, call: str, what: str = "decisions") -> Any:
    return client.get(f"/api/v1/calls/{call}/{what}")


def test_the_interface_gives_it_whole(decision: Decision) -> None:
    (item,) = answer(signed_in("huang"), decision.call_id).json()
    assert item["leg"] == decision.leg_id and item["rule"] == "best_skill" and item["told"]
    trace = item["trace"]
    assert trace["needs"][1] == {"skill": "lang:zh", "level": 1, "required": True}
    assert (trace["tiers_up_to"], trace["ring"], trace["eligible"]) == (1, 0, 1)
    codes = {row["name"].split()[0]: row["code"] for row in trace["considered"]}
    assert codes == {"1010": "", "1008": "lacks_skill", "1009": "tier_waits"}
    assert trace["considered"][0]["score"] == 9 and trace["considered"][0]["agent"] == decision.agent_id
    assert [row["code"] for row in trace["passed_over"]] == ["paused"]
    Decision.objects.update(trace=None)
    (item,) = answer(signed_in("huang"), decision.call_id).json()
    assert item["trace"] is None and item["told"] == []


def test_an_agent_is_told_nothing_of_the_others(decision: Decision) -> None:
    offered = User.objects.get(agent__number="1010").username
    client = signed_in(offered)
    assert answer(client, decision.call_id).status_code == 403
    facts = answer(client, decision.call_id, "timeline").json()
    assert "AgentOffered" in {fact["type"] for fact in facts} and "OfferDecided" not in {fact["type"] for fact in facts}
    assert "OfferDecided" in {fact["type"] for fact in answer(signed_in("huang"), decision.call_id, "timeline").json()}


def test_another_tenant_is_told_nothing(decision: Decision, other_tenant: Tenant) -> None:
    assert answer(signed_in("otheradmin"), decision.call_id).status_code == 404


# --- decided again ---------------------------------------------------------------------------------------------------


def replay(call: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("replay", call, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.parametrize("waits_s", [0, 35])
def test_the_same_inputs_give_the_same_answer(story: Tenant, waits_s: float) -> None:
    record_facts(support_call(story, waits_s=waits_s))
    row = Decision.objects.get()
    code, text = replay(row.call_id)
    assert code == 0 and f"{row.leg_id} same: agent {row.agent_id}" in text and "1 decisions, 0 different" in text


def tampered(decision: Decision, **changes: Any) -> None:
    trace = trace_of(decision)
    assert trace is not None
    fields = {name: getattr(trace, name) for name in OfferDecided.__dataclass_fields__} | changes
    decision.trace = codec.encode(OfferDecided(**fields))
    decision.save()


def test_a_decision_made_otherwise_than_by_the_rules_is_found(decision: Decision) -> None:
    """Whatever was changed: what was asked, who was chosen, what an agent can do, or a reason."""
    trace = trace_of(decision)
    assert trace is not None
    original = decision.trace
    first, *others = trace.considered
    low = next(one for one in others if one.code == "lacks_skill")
    changes: list[tuple[dict[str, Any], str]] = [
        ({"considered": (first._replace(levels=(0, 5, 1)), *others)}, f"agent {first.agent}"),
        ({"considered": (first, *(one._replace(code="", detail="", rank=(1, 0, 0)) for one in others))}, "lacks_skill"),
        ({"considered": (first, low._replace(tier=1, levels=(5, 5, 5)))}, f"agent {low.agent} is"),
        ({"needs": ()}, "different"),
        ({"agent": low.agent}, "its trace is of agent"),
    ]
    for change, said in changes:
        decision.trace = original
        tampered(decision, **change)
        code, text = replay(decision.call_id)
        assert code == 1 and said in text and "1 decisions, 1 different" in text, (change, text)


def test_an_offer_to_somebody_else_than_its_trace_says_is_found(decision: Decision) -> None:
    Decision.objects.update(agent_id=Agent.objects.get(number="1008").pk)
    code, text = replay(decision.call_id)
    assert code == 1 and "the offer was to agent" in text


def test_nothing_to_decide_again(decision: Decision) -> None:
    with pytest.raises(CommandError, match="no call"):
        call_command("replay", "no-such-call")
    Decision.objects.update(trace=None)
    code, text = replay(decision.call_id)
    assert code == 1 and "nothing was stored" in text
    Decision.objects.all().delete()
    assert replay(decision.call_id) == (0, "never offered to anybody\n")


def test_who_takes_no_calls_is_offered_none_and_the_trace_says_why(admin_page: Client, story: Tenant) -> None:
    """From the field in the admin through the configuration into the core's decision."""
    fits = Agent.objects.get(number="1010")
    url = page(Agent, "change", fits.pk)
    changed = {**fields_of(admin_page, url), "calls_at_once": 0, "chats_at_once": 4}
    assert admin_page.post(url, changed).status_code == 302
    asked = Queue.objects.get(tenant=story, code="support")
    record_facts(support_call(story))
    assert asked.memberships.filter(agent=fits).exists()
    assert not Decision.objects.filter(agent=fits).exists()
    program = program_of("admin").get(f"/agents/{fits.pk}").json()
    assert program["capacity"] == {"voice": 0, "chat": 4, "email": 0}
