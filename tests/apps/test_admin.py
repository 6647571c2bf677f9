"""The admin through its own pages: all open, tenants are apart, and what cannot work is refused with the reason."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.forms import BaseForm
from django.test import Client
from django.urls import reverse
from unfold.paginator import InfinitePaginator

from apps.accounts.models import Role, Tenant, User
from apps.accounts.tenant_admin import ReadOnlyAdmin
from apps.agents.models import Agent, Skill
from apps.calls.models import Call
from apps.calls.services import record_facts
from apps.ivr.models import Flow
from apps.queues.models import Queue
from apps.telephony.center_config import current_version
from apps.telephony.models import Calendar, Did, MusicClass, SipAccount, Switch, Trunk
from tests.apps.conftest import signed_in
from tests.apps.facts_of_calls import arrival, served_call, stored

AT_ONCE = {"calls_at_once": 1, "chats_at_once": 0, "emails_at_once": 0}
MODELS = sorted(
    (model for model in admin.site._registry if model.__module__.startswith("apps.")), key=lambda model: model.__name__
)


def fields_of(client: Client, url: str) -> dict[str, Any]:
    """What a browser would send for the form as it is shown."""
    context = client.get(url).context
    data: dict[str, Any] = {}
    forms: list[BaseForm] = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is None or value is False:
                continue
            if isinstance(value, (list, tuple)) or hasattr(value, "values_list"):
                value = [getattr(item, "pk", item) for item in value]
            data[bound.html_name] = "on" if value is True else value
    return data


def errors_of(response: Any) -> str:
    assert response.status_code == 200, "the form was accepted"
    form = response.context["adminform"].form
    formsets = [inline.formset for inline in response.context["inline_admin_formsets"]]
    return " ".join([str(form.errors), *(str(item.errors) + str(item.non_form_errors()) for item in formsets)])


def rows(prefix: str, *data: dict[str, Any]) -> dict[str, Any]:
    """New rows of an inline, as a browser would send them."""
    found: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(data), f"{prefix}-INITIAL_FORMS": 0}
    for number, row in enumerate(data):
        found |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return found


NO_ROWS_OF_QUEUE = {**rows("needs"), **rows("rings"), **rows("comforts")}


def page(model: type, what: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)  # type: ignore[attr-defined]


NEVER_ADDED_BY_HAND = {"SipAccount"} | {
    model.__name__ for model in MODELS if isinstance(admin.site._registry[model], ReadOnlyAdmin)
}  # fmt: skip


@pytest.mark.parametrize("who", ["admin", "root"])
def test_every_page_opens(story: Tenant, root_page: Client, who: str) -> None:
    record_facts(stored(served_call("c1")))
    Call.objects.update(tenant_id=story.pk)
    client = signed_in(who)
    closed = NEVER_ADDED_BY_HAND | ({"Tenant", "Switch"} if who == "admin" else set())
    for model in MODELS:
        assert client.get(page(model, "changelist"), {"q": "a"}).status_code in (200, 302), model
        assert client.get(page(model, "changelist")).status_code == 200, model
        row = client.get(page(model, "changelist")).context["cl"].result_list.first()
        assert row is None or client.get(page(model, "change", row.pk)).status_code == 200, model
        assert client.get(page(model, "add")).status_code == (403 if model.__name__ in closed else 200), model


def test_a_form_saved_unchanged_is_accepted_and_tells_the_engine(admin_page: Client) -> None:
    for model in (Queue, Agent, Trunk, Did, Calendar, Flow, Skill):
        row = model._default_manager.first()
        before = current_version()
        url = page(model, "change", row.pk)
        response = admin_page.post(url, fields_of(admin_page, url))
        assert response.status_code == 302, errors_of(response)
        assert current_version() == before + 1, model


def test_only_administrators_get_in(story: Tenant) -> None:
    for username in ("wangfang", "huang"):
        assert signed_in(username).get(page(Queue, "changelist")).status_code in (302, 403)
    User.objects.filter(username="huang").update(is_staff=True)  # staff alone is not enough
    assert signed_in("huang").get(page(Queue, "changelist")).status_code == 403
    assert Client().get(page(Queue, "changelist")).status_code == 302


@pytest.mark.parametrize(
    "model", [Queue, Agent, Trunk, Did, Calendar, Flow, Skill, SipAccount, Switch], ids=lambda m: m.__name__
)
def test_another_tenant_sees_and_changes_nothing(other_tenant: Tenant, story: Tenant, model: Any) -> None:
    Switch.objects.update(tenant=story)
    client = signed_in("otheradmin")
    row = model._default_manager.first()
    listed = client.get(page(model, "changelist"))
    assert listed.context["cl"].result_count == 0
    assert client.get(page(model, "change", row.pk)).status_code == 302
    assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert model._default_manager.filter(pk=row.pk).exists()


def test_calls_of_another_tenant_are_not_shown(other_tenant: Tenant) -> None:
    record_facts(stored(arrival("c1", tenant=str(other_tenant.pk))))
    for who, seen in (("admin", 0), ("otheradmin", 1)):
        assert len(signed_in(who).get(page(Call, "changelist")).context["cl"].result_list) == seen


def test_a_switch_that_tenants_share_is_the_superusers(other_tenant: Tenant) -> None:
    switch = Switch.objects.get()
    client = signed_in("otheradmin")
    assert client.get(page(Switch, "change", switch.pk)).status_code == 200
    assert client.post(page(Switch, "change", switch.pk), {"name": "mine"}).status_code == 403


def test_the_password_of_a_shared_switch_is_not_shown_to_a_tenant(admin_page: Client, root_page: Client) -> None:
    """It commands every tenant's calls."""
    switch = Switch.objects.get()
    url = page(Switch, "change", switch.pk)
    assert switch.event_socket_password in root_page.get(url).content.decode()
    shown = admin_page.get(url).content.decode()
    assert switch.domain in shown and switch.event_socket_password not in shown


def test_a_row_cannot_be_given_to_or_refer_to_another_tenant(other_tenant: Tenant, story: Tenant) -> None:
    client = signed_in("otheradmin")
    response = client.post(page(Skill, "add"), {"tenant": story.pk, "code": "x", "name": "x"})
    assert "tenant" in response.context["adminform"].form.errors
    agent = Agent.objects.first()
    assert agent
    data = {"tenant": other_tenant.pk, "name": "q", "code": "q", **rows("memberships", {"agent": agent.pk, "tier": 1})}
    assert "Select a valid choice" in errors_of(client.post(page(Queue, "add"), data | NO_ROWS_OF_QUEUE))


def test_a_superuser_cannot_mix_tenants_either(root_page: Client, other_tenant: Tenant) -> None:
    queue = Queue.objects.first()
    assert queue
    url = page(Queue, "change", queue.pk)
    response = root_page.post(url, fields_of(root_page, url) | {"tenant": other_tenant.pk})
    assert "another tenant" in errors_of(response)


def test_an_administrator_cannot_rise(story: Tenant, admin_page: Client, root_page: Client) -> None:
    me = User.objects.get(username="admin")
    url = page(User, "change", me.pk)
    admin_page.post(url, fields_of(admin_page, url) | {"is_superuser": "on", "tenant": ""})
    me.refresh_from_db()
    assert not me.is_superuser and me.tenant == story
    root = User.objects.get(username="root")
    assert admin_page.get(page(User, "change", root.pk)).status_code == 302
    assert admin_page.get(reverse("admin:auth_user_password_change", args=[root.pk])).status_code in (302, 403, 404)


def test_a_new_agent_gets_an_account_with_a_random_secret(admin_page: Client, story: Tenant) -> None:
    skill = Skill.objects.get(code="lang:zh")
    secrets = set()
    for number in ("1101", "1102"):
        data = {
            "tenant": story.pk, "name": "新人", "number": number, "enabled": "on", "device_kind": "browser",
            **AT_ONCE, **rows("agent_skills", {"skill": skill.pk, "proficiency": 4}), **rows("memberships"),
        }  # fmt: skip
        response = admin_page.post(page(Agent, "add"), data)
        assert response.status_code == 302, errors_of(response)
        agent = Agent.objects.get(number=number)
        assert agent.sip_account is not None and agent.sip_account.username == number
        assert re.fullmatch(r"[0-9a-f]{24}", agent.sip_account.secret)
        secrets.add(agent.sip_account.secret)
        assert agent.agent_skills.get().proficiency == 4
    assert len(secrets) == 2


def test_an_agent_without_a_switch_is_refused(admin_page: Client, story: Tenant) -> None:
    Switch.objects.update(enabled=False)
    data = {
        "tenant": story.pk, "name": "x", "number": "1101", "enabled": "on", "device_kind": "sip",
        **AT_ONCE, **rows("agent_skills"), **rows("memberships"),
    }  # fmt: skip
    assert "no enabled switch" in errors_of(admin_page.post(page(Agent, "add"), data))


def test_deleting_an_agent_takes_the_account_and_leaves_history(admin_page: Client, story: Tenant) -> None:
    agent = Agent.objects.get(number="1001")
    record_facts(stored(served_call("c1")))
    Call.objects.update(tenant_id=story.pk, last_agent_id=agent.pk)
    assert admin_page.post(page(Agent, "delete", agent.pk), {"post": "yes"}).status_code == 302
    assert not Agent.objects.filter(pk=agent.pk).exists()
    assert not SipAccount.objects.filter(username="1001").exists()
    assert Call.objects.get().last_agent_id == agent.pk
    assert admin_page.get(page(Call, "changelist")).status_code == 200
    assert admin_page.get(page(Call, "change", "c1")).status_code == 200


def change(client: Client, row: Any, **fields: Any) -> Any:
    url = page(type(row), "change", row.pk)
    data = fields_of(client, url)
    for name, value in fields.items():
        data.pop(name, None)
        if value is not None:
            data[name] = value
    return client.post(url, data)


def test_a_number_needs_a_published_flow(admin_page: Client, story: Tenant) -> None:
    draft = Flow.objects.create(tenant=story, code="draft", name="Draft")
    did = Did.objects.all()[0]
    assert "never been published" in errors_of(change(admin_page, did, flow=draft.pk))
    assert "flow" in change(admin_page, did, flow=None).context["adminform"].form.errors
    assert "number" in change(admin_page, did, number="400;rm").context["adminform"].form.errors


def test_an_outside_seat_needs_a_trunk_that_may_be_used(admin_page: Client) -> None:
    agent, trunk = Agent.objects.get(number="1001"), Trunk.objects.get()
    assert "needs a number" in errors_of(change(admin_page, agent, device_kind="pstn"))
    response = change(admin_page, agent, device_kind="pstn", outside_number="13955500001")
    assert "needs a trunk" in errors_of(response)
    seat = {"device_kind": "pstn", "outside_number": "13955500001", "outside_trunk": trunk.pk}
    assert change(admin_page, agent, **seat).status_code == 302
    assert "rung through this trunk" in errors_of(change(admin_page, trunk, enabled=None))
    Trunk.objects.update(enabled=False)
    assert "disabled" in errors_of(change(admin_page, agent, **seat))


def test_what_a_published_flow_names_stays(admin_page: Client) -> None:
    queue, calendar = Queue.objects.get(code="support"), Calendar.objects.get()
    assert "Flows name this queue" in errors_of(change(admin_page, queue, code="helpdesk"))
    for row in (queue, calendar):
        admin_page.post(page(type(row), "delete", row.pk), {"post": "yes"})
        assert type(row)._default_manager.filter(pk=row.pk).exists()


def test_hours_that_overlap_are_refused(admin_page: Client) -> None:
    calendar = Calendar.objects.get()
    response = change(admin_page, calendar, **{"spans-0-closes": "14:00"})  # the afternoon opens at 13:00
    assert "overlap" in errors_of(response)
    response = change(admin_page, calendar, **{"spans-0-closes": "08:00"})
    assert "after the start" in errors_of(response)
    response = change(admin_page, calendar, **{"days-1-date": "2026-10-01"})  # the holiday, as a work day
    assert "as both" in errors_of(response)


@pytest.mark.parametrize("field", ["password", "username"])
@pytest.mark.parametrize("text", ['a"><param name="x', "${system}12345", "p\r\nX: y123", "<!--12345"])
def test_what_travels_into_switch_files_is_plain(admin_page: Client, field: str, text: str) -> None:
    assert field in change(admin_page, Trunk.objects.get(), **{field: text}).context["adminform"].form.errors


@pytest.mark.parametrize(
    ("model", "field", "text"),
    [
        (Trunk, "codecs", "PCMA;PCMU"),
        (Trunk, "proxy", "::::"),
        (MusicClass, "directory", "../../etc"),
        (MusicClass, "directory", "/etc"),
        (Switch, "domain", "a b"),
        (Switch, "sip_address", "$${event_socket_password}"),
        (Switch, "codecs", "${system(id)}"),
        (Switch, "sounds_dir", "../sounds"),
        (Switch, "recordings_dir", "/var/lib/with space"),
        (Switch, "event_socket_password", "short"),
    ],
)
def test_what_the_switchs_files_would_refuse_is_refused_here(
    root_page: Client, model: Any, field: str, text: str
) -> None:
    """One such row would keep the files of all tenants of the switch from being written."""
    row = model._default_manager.first() or model.objects.create(name="calm", directory="music/calm")
    assert field in change(root_page, row, **{field: text}).context["adminform"].form.errors
    assert change(root_page, row).status_code == 302


def test_publishing_from_the_list_says_what_is_wrong(admin_page: Client) -> None:
    flow = Flow.objects.get()
    flow.draft["nodes"]["sales"]["queue"] = "nowhere"
    flow.save()
    action = {"action": "publish_drafts", "_selected_action": [flow.pk]}
    text = unescape(admin_page.post(page(Flow, "changelist"), action, follow=True).content.decode())
    assert "E14" in text and 'no queue "nowhere"' in text
    flow.refresh_from_db()
    assert flow.published and flow.published.number == 1
    flow.draft["nodes"]["sales"]["queue"] = "service"
    flow.save()
    text = admin_page.post(page(Flow, "changelist"), action, follow=True).content.decode()
    assert "version 2 is in force" in text


@pytest.mark.parametrize("draft", ["[]", "{", "null", '{"nodes": []}', '"x"'])
def test_a_draft_that_is_no_flow_is_refused(admin_page: Client, draft: str) -> None:
    assert "draft" in change(admin_page, Flow.objects.get(), draft=draft).context["adminform"].form.errors


def test_reasons_come_in_chinese_too(story: Tenant) -> None:
    client = signed_in("admin", "zh-hans")
    service = Queue.objects.get(code="service")
    response = change(client, service, overflow_kind="queue", overflow_queue=service.pk)
    assert "循环" in errors_of(response)
    assert "队列" in client.get(page(Queue, "changelist")).content.decode()


def test_a_persons_language_counts_until_they_choose_in_the_browser(story: Tenant) -> None:
    User.objects.filter(username="admin").update(language="zh-hans")
    client = signed_in("admin", "en")
    assert "队列" in client.get(page(Queue, "changelist")).content.decode()
    client.post(reverse("set_language"), {"language": "en"})
    assert "队列" not in client.get(page(Skill, "changelist")).content.decode()


def test_an_integrator_has_no_admin(story: Tenant) -> None:
    User.objects.create(username="robot", tenant=story, role=Role.INTEGRATOR, is_staff=True)
    assert signed_in("robot").get(page(Queue, "changelist")).status_code == 403


def test_where_all_rows_can_be_chosen_they_are_counted() -> None:
    """An offer to select all 9,999,999,999 rows is none."""
    for model in MODELS:
        item = admin.site._registry[model]
        if isinstance(item, ReadOnlyAdmin) and item.actions:
            assert not issubclass(item.paginator, InfinitePaginator), model
