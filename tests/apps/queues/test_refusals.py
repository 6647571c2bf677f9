"""What can never work is refused wherever it is saved, with the reason, and nothing of it is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Tenant
from apps.agents.models import Agent, Skill
from apps.core.ivr import flow as flow_document
from apps.ivr.models import Flow
from apps.ivr.services import FlowRefused, publish
from apps.queues.models import Queue, QueueMembership, QueueRing, QueueSkill
from apps.queues.refusing import problems_of
from apps.telephony.center_config import current_version
from apps.telephony.models import Did
from tests.apps.conftest import signed_in
from tests.apps.test_admin import change, errors_of, fields_of, page, rows


def test_the_story_is_sound(story: Tenant) -> None:
    assert not problems_of(story.pk)


def post(client: Client, row: Any, prefix: str = "", *new: dict[str, Any], **fields: Any) -> Any:
    """The page as it is shown, with these fields changed and new rows in the inline ``prefix``."""
    url = page(type(row), "change", row.pk)
    data = fields_of(client, url)
    old = int(data.get(f"{prefix}-TOTAL_FORMS", 0))
    for number, item in enumerate(new, old):
        data |= {f"{prefix}-{number}-{name}": value for name, value in item.items()}
    if new:
        data[f"{prefix}-TOTAL_FORMS"] = old + len(new)
    return client.post(url, data | fields)


def skill(code: str) -> Skill:
    return Skill.objects.get(code=code)


def test_a_skill_nobody_has_is_refused_in_the_queues_inline(admin_page: Client) -> None:
    sales = Queue.objects.get(code="sales")
    version = current_version()
    response = post(admin_page, sales, "needs", {"skill": skill("network").pk, "level": 1, "required": "on"})
    assert "销售: none of its agents has all that is required: network 1" in errors_of(response)
    assert not sales.needs.exists() and current_version() == version, "all of it is undone"
    response = post(admin_page, sales, "needs", {"skill": skill("network").pk, "level": 1})
    assert response.status_code == 302, "preferred keeps nobody out"
    assert not QueueSkill.objects.get(queue=sales).required


def test_what_was_typed_is_shown_again_with_the_reason(admin_page: Client) -> None:
    sales = Queue.objects.get(code="sales")
    need = {"skill": skill("network").pk, "level": 5, "required": "on"}
    response = post(admin_page, sales, "needs", need, name="销售一部")
    html = response.content.decode()
    assert 'value="销售一部"' in html and 'value="5"' in html
    assert "Please correct the error" in html and "none of its agents" in html


def test_a_level_that_nobody_reaches_is_refused_unless_it_is_relaxed(admin_page: Client) -> None:
    support = Queue.objects.get(code="support")
    QueueMembership.objects.filter(queue=support, agent__number="1009").delete()  # the only one with 5
    (network,) = support.needs.filter(skill__code="network")
    QueueRing.objects.all().delete()
    response = post(admin_page, support, **{"needs-0-level": 5, "needs-1-level": 5})
    assert "network 5" in errors_of(response)
    relaxed = {"after_s": 30, "skill": network.skill_id, "level": 3}
    response = post(admin_page, support, "rings", relaxed, **{"needs-0-level": 5, "needs-1-level": 5})
    assert response.status_code == 302, errors_of(response)


def test_taking_the_last_able_agent_away_is_refused_on_the_agents_side(admin_page: Client) -> None:
    """By the queue's inline, the agent's skills, the agent's switch, and by deleting the agent."""
    sales = Queue.objects.get(code="sales")
    only = Agent.objects.get(number="1002")
    sales.memberships.exclude(agent=only).delete()
    assert "no enabled agent" in errors_of(change(admin_page, sales, **{"memberships-0-DELETE": "on"}))
    assert "no enabled agent" in errors_of(change(admin_page, only, enabled=None))
    assert "no enabled agent" in errors_of(change(admin_page, only, calls_at_once=0))
    assert "no enabled agent" in errors_of(change(admin_page, only.sip_account, enabled=None))
    response = change(admin_page, only, **{"memberships-0-DELETE": "on"})
    assert "no enabled agent" in errors_of(response)
    response = change(admin_page, only, **{"agent_skills-0-DELETE": "on"})
    assert "that flow hotline asks for: lang:zh 1" in errors_of(response)
    response = admin_page.post(page(Agent, "delete", only.pk), {"post": "yes"})
    assert response.status_code == 403 or "no enabled agent" in response.content.decode()
    assert Agent.objects.filter(pk=only.pk).exists() and sales.memberships.count() == 1


def test_relaxations_that_relax_nothing_are_refused(admin_page: Client) -> None:
    support = Queue.objects.get(code="support")
    network = skill("network").pk
    response = post(admin_page, support, "rings", {"after_s": 90, "skill": network, "level": 3})
    assert "more would be asked for than before" in errors_of(response)
    many = [{"after_s": 100 + number, "skill": skill("lang:zh").pk} for number in range(7)]
    assert "more than 6 different times" in errors_of(post(admin_page, support, "rings", *many))
    assert "which skill is relaxed" in errors_of(post(admin_page, support, "rings", {"after_s": 90}))
    assert "A level is of a skill" in errors_of(
        post(admin_page, support, "rings", {"after_s": 90, "level": 2, "tiers_up_to": 3})
    )


def test_a_rule_for_tiers_without_tiers_is_refused(admin_page: Client) -> None:
    service = Queue.objects.get(code="service")
    assert "all agents are in the first" in errors_of(post(admin_page, service, tier_wait_s=10))
    QueueMembership.objects.filter(queue=service, agent__number="1011").update(tier=2)
    assert post(admin_page, service, tier_wait_s=10).status_code == 302


def test_a_new_queue_comes_whole(admin_page: Client, story: Tenant) -> None:
    """With who serves it and what is asked of them; refused where those do not fit."""
    wang = Agent.objects.get(number="1001")
    data = fields_of(admin_page, page(Queue, "add")) | {"tenant": story.pk, "code": "vip", "name": "贵宾"}
    none = {**rows("memberships"), **rows("needs"), **rows("rings"), **rows("comforts")}
    assert "no enabled agent" in errors_of(admin_page.post(page(Queue, "add"), data | none))
    serving = rows("memberships", {"agent": wang.pk, "tier": 1, "position": 2, "priority": 9})
    needs = rows("needs", {"skill": skill("lang:en").pk, "level": 5, "required": "on"})
    assert "lang:en 5" in errors_of(admin_page.post(page(Queue, "add"), data | none | serving | needs))
    assert not Queue.objects.filter(code="vip").exists()
    needs = rows("needs", {"skill": skill("lang:en").pk, "level": 4, "required": "on"})
    response = admin_page.post(page(Queue, "add"), data | none | serving | needs | {"strategy": "ring_all"})
    assert response.status_code == 302, errors_of(response)
    row = QueueMembership.objects.get(queue__code="vip")
    assert (row.agent, row.position, row.priority, row.queue.strategy) == (wang, 2, 9, "ring_all")


def test_overflow_in_a_circle_is_refused_whatever_closes_it(admin_page: Client, story: Tenant) -> None:
    sales, service = Queue.objects.get(code="sales"), Queue.objects.get(code="service")
    circle = "Callers would go in a circle: "
    assert f"{circle}客服 → 客服" in errors_of(
        post(admin_page, service, overflow_kind="queue", overflow_queue=service.pk)
    )
    text = errors_of(post(admin_page, service, overflow_kind="queue", overflow_queue=sales.pk))
    assert circle in text and "销售 → 客服" in text
    for kind in ("queue", "number", "flow"):
        assert "needs a target" in errors_of(change(admin_page, service, overflow_kind=kind))
    response = post(admin_page, service, closed_kind="queue", closed_queue=service.pk)
    assert f"{circle}客服 → 客服" in errors_of(response), "closed, to itself"
    Flow.objects.create(tenant=story, code="again", name="Again", draft=again("service"))
    publish(Flow.objects.get(code="again"))
    flow = Flow.objects.get(code="again")
    response = post(admin_page, service, overflow_kind="flow", overflow_flow=flow.pk)
    assert "客服 → again → 客服" in errors_of(response)
    did = Did.objects.get(number="02155550100")
    assert change(admin_page, did, flow=flow.pk).status_code == 302
    response = post(admin_page, service, overflow_kind="number", overflow_number="+862155550100")
    assert "客服 → again → 客服" in errors_of(response), "a number of our own, written otherwise"
    service.refresh_from_db()
    assert service.overflow_kind == "hangup"


def again(queue: str) -> dict[str, Any]:
    return {
        "schema": flow_document.SCHEMA, "id": "again", "langs": ["zh", "en"], "default_lang": "zh", "start": "ans",
        "nodes": {"ans": {"type": "answer", "on": {"ok": "wait"}}, "wait": {"type": "enqueue", "queue": queue}},
    }  # fmt: skip


def test_the_number_or_the_flow_that_would_close_a_circle_is_refused_too(admin_page: Client, story: Tenant) -> None:
    service = Queue.objects.get(code="service")
    Queue.objects.filter(pk=service.pk).update(overflow_kind="number", overflow_number="02155550199")
    flow = Flow.objects.create(tenant=story, code="again", name="Again", draft=again("service"))
    publish(flow)
    switch = Did.objects.all()[0].switch_id
    data = {"tenant": story.pk, "switch": switch, "number": "02155550199", "flow": flow.pk, "note": ""}
    assert "客服 → again → 客服" in errors_of(admin_page.post(page(Did, "add"), data))
    assert not Did.objects.filter(number="02155550199").exists()

    flow.draft = again("sales")
    flow.save()
    publish(flow)
    assert "销售 → 客服 → again" in errors_of(admin_page.post(page(Did, "add"), data)), "sales overflows to service"
    Queue.objects.filter(pk=service.pk).update(overflow_kind="flow", overflow_flow=flow)
    Queue.objects.filter(code="sales").update(overflow_kind="hangup")
    assert not problems_of(story.pk)
    flow.draft = again("service")
    flow.save()
    with pytest.raises(FlowRefused, match="客服 → again → 客服"):
        publish(flow)
    flow.refresh_from_db()
    assert flow.published and flow.published.document["nodes"]["wait"]["queue"] == "sales", "that one stays in force"


def test_the_tenants_fallback_number_closes_circles_as_well(admin_page: Client, story: Tenant) -> None:
    flow = Flow.objects.create(tenant=story, code="again", name="Again", draft=again("service"))
    publish(flow)
    Did.objects.filter(number="02155550100").update(flow=flow)
    Queue.objects.filter(code="service").update(overflow_prompt=None)
    assert "客服 → again → 客服" in errors_of(post(admin_page, story, fallback_number="02155550100"))


def test_what_was_wrong_before_is_no_reason_to_refuse_another_change(admin_page: Client, story: Tenant) -> None:
    Queue.objects.create(tenant=story, code="empty", name="Empty")
    assert post(admin_page, Queue.objects.get(code="sales"), max_wait_s=200).status_code == 302
    assert "no enabled agent" in errors_of(post(admin_page, Queue.objects.get(code="empty"), max_wait_s=200))


def test_a_superuser_cannot_have_a_queue_served_by_another_tenants_agents(
    root_page: Client, other_tenant: Tenant, story: Tenant
) -> None:
    stranger = Agent.objects.create(tenant=other_tenant, number="1001", name="Stranger")
    sales = Queue.objects.get(code="sales")
    response = post(root_page, sales, "memberships", {"agent": stranger.pk, "tier": 1, "position": 1, "priority": 5})
    assert "another tenant" in errors_of(response)


def test_the_reasons_come_in_chinese(story: Tenant) -> None:
    client = signed_in("admin", "zh-hans")
    sales = Queue.objects.get(code="sales")
    response = post(client, sales, "needs", {"skill": skill("network").pk, "level": 1, "required": "on"})
    assert "销售" in errors_of(response) and "没有坐席" in errors_of(response)
