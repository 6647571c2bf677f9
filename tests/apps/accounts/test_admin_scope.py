"""Every page of the admin, for every model that is registered: another tenant's rows do not exist there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import FieldError
from django.forms import ModelChoiceField
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from apps.accounts.admin_menu import navigation
from apps.accounts.models import Role, Tenant, User
from apps.calls.models import Call
from tests.apps.accounts.rows import path_to_tenant, row_of
from tests.apps.conftest import signed_in

pytestmark = pytest.mark.django_db
PAGES = sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label)


def each(check: Callable[[Any, Any], None]) -> None:
    """All models in one test: a story for each would take minutes. Names every one that fails."""
    failed = []
    for model, page in PAGES:
        try:
            check(model, page)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is reported
            failed.append(f"{model._meta.label}: {type(error).__name__}: {str(error)[:300]}")
    assert failed == [], "\n".join(failed)


def url(model: Any, what: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def snapshot(row: Any) -> Any:
    return type(row)._default_manager.filter(pk=row.pk).values().first()


@pytest.fixture
def theirs(other_tenant: Tenant) -> Client:
    """The other tenant's administrator."""
    return signed_in("otheradmin")


def test_another_tenants_row_is_never_listed_opened_changed_or_deleted(story: Tenant, theirs: Client) -> None:
    def check(model: Any, page: Any) -> None:
        row = row_of(model, story)
        before = snapshot(row)
        listed = theirs.get(url(model, "changelist"))
        assert listed.status_code in (200, 403)
        if listed.status_code == 200:
            assert row.pk not in [item.pk for item in listed.context["cl"].queryset]
        for what in ("change", "delete", "history"):
            assert theirs.get(url(model, what, row.pk)).status_code in (302, 403, 404), what
        for what, data in (("change", {"name": "mine"}), ("delete", {"post": "yes"})):
            assert theirs.post(url(model, what, row.pk), data).status_code in (302, 403, 404), what
        assert snapshot(row) == before

    each(check)


def test_no_action_touches_another_tenants_row(story: Tenant, theirs: Client) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="otheradmin")

    def check(model: Any, page: Any) -> None:
        row = row_of(model, story)
        before = snapshot(row)
        for name in page.get_actions(request):
            data = {"action": name, "_selected_action": [row.pk], "post": "yes", "select_across": "0"}
            assert theirs.post(url(model, "changelist"), data).status_code in (200, 302, 403), name
            assert snapshot(row) == before, name

    each(check)


def test_no_button_works_on_another_tenants_row_or_for_a_lesser_role(story: Tenant, theirs: Client) -> None:
    """Of every page that has buttons; each is a POST (``accounts/row_buttons.py``)."""
    User.objects.filter(username="huang").update(is_staff=True)
    lesser = signed_in("huang")
    pressed = 0
    for model, page in PAGES:
        for name in getattr(page, "row_buttons", ()):
            row = row_of(model, story)
            before = snapshot(row)
            for client in (theirs, lesser, Client()):
                assert client.get(url(model, "press", row.pk, name)).status_code in (302, 405)
                assert client.post(url(model, "press", row.pk, name)).status_code in (302, 404), (model, name)
                assert snapshot(row) == before, (model, name)
            pressed += 1
    assert pressed >= 4


def test_no_choice_offers_another_tenants_row(story: Tenant, theirs: Client) -> None:
    """On the page that adds and the page that changes one, in the form and its inlines."""
    mine = Tenant.objects.get(code="other")

    def check(model: Any, page: Any) -> None:
        for what, args in (("add", ()), ("change", (row_of(model, mine).pk,))):
            reply = theirs.get(url(model, what, *args))
            if reply.status_code != 200:
                continue
            forms = [reply.context["adminform"].form]
            shown = [item for item in reply.context["inline_admin_formsets"] if item.has_add_permission]
            for inline in shown:
                forms += [*inline.formset.forms, inline.formset.empty_form]
            for form in forms:
                for name, field in form.fields.items():
                    if isinstance(field, ModelChoiceField) and field.queryset is not None and not _hidden(field):
                        assert strangers(field.queryset, mine) == [], (what, name)

    each(check)


def _hidden(field: Any) -> bool:
    return bool(field.widget.is_hidden)  # the id of an inline's row: nobody chooses it


def strangers(rows: Any, mine: Tenant) -> list[Any]:
    try:
        path = path_to_tenant(rows.model)
        return list(rows.exclude(**{path: mine.pk}).exclude(**{f"{path}__isnull": True}))
    except FieldError:
        return []  # of no tenant: kinds of content


def test_no_filter_offers_another_tenants_row(story: Tenant, theirs: Client) -> None:
    """Beside the list stand names of agents, queues, people: of one's own tenant."""
    mine = Tenant.objects.get(code="other")
    offered = 0

    def check(model: Any, page: Any) -> None:
        nonlocal offered
        row_of(model, mine)
        reply = theirs.get(url(model, "changelist"))
        for spec in reply.context["cl"].filter_specs if reply.status_code == 200 else ():
            field = getattr(spec, "field", None)
            if field is not None and field.is_relation:
                keys = [key for key, _name in spec.lookup_choices]
                assert strangers(field.related_model._default_manager.filter(pk__in=keys), mine) == [], spec.title
                offered += 1

    each(check)
    assert offered > 5


def test_a_call_that_belongs_to_nobody_is_shown_to_no_tenant_of_several(story: Tenant, other_tenant: Tenant) -> None:
    """Somebody dialled a number that leads nowhere: whose caller that is, nobody can say."""
    stray = Call.objects.create(id="stray", caller_number="13800001111", started_at=timezone.now())

    def listed(username: str) -> bool:
        client = signed_in(username)
        opened = client.get(url(Call, "change", stray.pk)).status_code == 200
        assert opened == (stray in client.get(url(Call, "changelist")).context["cl"].queryset)
        return opened

    User.objects.create(username="root", is_superuser=True, is_staff=True)
    assert (listed("admin"), listed("otheradmin"), listed("root")) == (False, False, True)
    User.objects.filter(tenant=other_tenant).delete()
    other_tenant.delete()
    assert listed("admin"), "with one tenant it can be nobody else's"


def test_no_autocompletion_offers_another_tenants_row(story: Tenant, theirs: Client) -> None:
    asked = 0
    for model, page in PAGES:
        for name in page.autocomplete_fields:
            query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": name}
            reply = theirs.get(reverse("admin:autocomplete"), query)
            found = {item["id"] for item in reply.json()["results"]}
            remote = model._meta.get_field(name).related_model
            foreign = {str(pk) for pk in remote.objects.filter(tenant=story).values_list("pk", flat=True)}
            assert not found & foreign, (model, name)
            asked += 1
    assert asked


def test_a_lesser_role_sees_no_page(story: Tenant) -> None:
    User.objects.create(username="robot", tenant=story, role=Role.INTEGRATOR, is_staff=True)
    User.objects.filter(username__in=("huang", "wangfang")).update(is_staff=True)  # staff alone is not enough
    clients = [signed_in(username) for username in ("robot", "huang", "wangfang")]

    def check(model: Any, page: Any) -> None:
        row = row_of(model, story)
        for client in clients:
            assert client.get(url(model, "changelist")).status_code == 403
            assert client.get(url(model, "change", row.pk)).status_code in (302, 403)
        assert Client().get(url(model, "changelist")).status_code == 302

    each(check)
    assert clients[0].get("/admin/system/").status_code == 403


def test_every_list_can_be_searched_or_filtered_and_stands_in_the_menu(story: Tenant) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="admin")
    links = {item["link"] for group in navigation(request) for item in group["items"]}
    client = signed_in("admin")

    def check(model: Any, page: Any) -> None:
        assert page.search_fields or page.list_filter, "nobody finds a row in a list of thousands"
        assert url(model, "changelist") in links
        query = {"q": "' or 1=1 -- <script>x"} if page.search_fields else {}
        reply = client.get(url(model, "changelist"), query)
        assert reply.status_code == 200 and "<script>x" not in reply.content.decode()

    each(check)


def test_the_menu_leads_only_where_one_may_go(story: Tenant) -> None:
    client = signed_in("admin")
    links = set(re.findall(r'href="(/admin/[^"?#]*)"', client.get("/admin/").content.decode()))
    assert len(links) > 20
    for link in links:
        assert client.get(link).status_code in (200, 302), link
    with pytest.raises(NoReverseMatch):
        reverse("admin:auth_group_changelist")


def test_the_system_page_says_what_is_away(story: Tenant, admin_page: Client) -> None:
    """No engine runs here: the page comes all the same, and says so."""
    reply = admin_page.get("/admin/system/")
    page = reply.content.decode()
    assert reply.status_code == 200 and 'data-testid="engine-away"' in page
    assert 'data-part="database" data-status="ok"' in page and 'data-part="engine" data-status="degraded"' in page


def test_the_first_page_counts_and_names_what_does_not_fit(story: Tenant, admin_page: Client) -> None:
    from apps.agents.models import Agent
    from apps.queues.models import QueueMembership

    QueueMembership.objects.filter(queue__code="sales").delete()
    Agent.objects.filter(number="1002").update(user=None)
    reply = admin_page.get("/admin/")
    page = reply.content.decode()
    assert reply.context["tiles"][1]["count"] == 3
    assert "nobody serves this queue" in page and "nobody can sign in as it" in page
    assert "No calls yet today" in page
