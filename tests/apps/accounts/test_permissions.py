"""What each role may do, and to whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory

from apps.accounts.models import Reach, Role, Team, Tenant, User
from apps.accounts.permissions import (
    CODES,
    UnknownPermission,
    can,
    permission_required,
    visible_agents,
)
from apps.agents.models import Agent
from apps.calls.models import Call, Segment
from apps.calls.visibility import visible_calls

pytestmark = pytest.mark.django_db


def person(username: str) -> User:
    return User.objects.get(username=username)


@pytest.fixture
def other_agent(other_tenant: Tenant) -> Agent:
    team = Team.objects.create(tenant=other_tenant, name="Theirs")
    return Agent.objects.create(tenant=other_tenant, name="x", number="99", team=team)


@pytest.mark.parametrize(
    ("username", "code", "allowed"),
    [
        ("wangfang", "console.use", True),
        ("wangfang", "floor.view", False),
        ("wangfang", "calls.listen", False),
        ("wangfang", "customers.import", False),
        ("huang", "agents.force", True),
        ("huang", "calls.export", True),
        ("huang", "settings.edit", False),
        ("huang", "users.edit", False),
        ("admin", "settings.edit", True),
        ("admin", "audit.view", True),
    ],
)
def test_a_role_is_a_set_of_permissions(story: Tenant, username: str, code: str, allowed: bool) -> None:
    assert can(person(username), code) is allowed


def test_nobody_without_an_account_a_tenant_or_the_right_to_sign_in_may_do_anything(story: Tenant) -> None:
    admin = person("admin")
    assert not any(can(AnonymousUser(), code) for code in CODES)
    admin.is_active = False
    assert not any(can(admin, code) for code in CODES)
    assert not any(can(User(username="lost", role=Role.ADMIN), code) for code in CODES)


def test_a_permission_that_does_not_exist_is_a_mistake_and_not_a_refusal(story: Tenant) -> None:
    with pytest.raises(UnknownPermission):
        can(person("admin"), "calls.veiw")


def test_permissions_end_at_the_tenant(story: Tenant, other_agent: Agent) -> None:
    admin, mine = person("admin"), Agent.objects.get(number="1001")
    assert can(admin, "agents.force", agent=mine) and can(admin, "agents.force", tenant=story)
    assert not can(admin, "agents.force", agent=other_agent)
    assert not can(admin, "agents.force", team=other_agent.team)
    assert not can(admin, "agents.force", tenant=other_agent.tenant)
    assert other_agent not in visible_agents(admin)
    root = User.objects.create(username="root", is_superuser=True)
    assert can(root, "agents.force", agent=other_agent) and other_agent in visible_agents(root)


def test_a_team_leader_reaches_the_agents_of_the_teams_led(story: Tenant) -> None:
    leader = person("hemin")
    assert {agent.team.name for agent in visible_agents(leader) if agent.team} == {"技术组"}
    own, not_own = Agent.objects.get(number="1009"), Agent.objects.get(number="1001")
    assert can(leader, "agents.force", agent=own) and not can(leader, "agents.force", agent=not_own)
    assert can(leader, "agents.view", team=own.team) and not can(leader, "agents.view", team=not_own.team)
    Agent.objects.filter(pk=own.pk).update(team=None)
    own.refresh_from_db()
    assert not can(leader, "agents.force", agent=own), "in no team is not in a team led"
    assert can(person("huang"), "agents.force", agent=own), "who reaches the tenant reaches them all"


def test_leading_no_team_any_more_reaches_nobody(story: Tenant) -> None:
    leader = person("hemin")
    Team.objects.get(name="技术组").leaders.clear()
    assert not visible_agents(leader).exists()
    leader.reach = Reach.TENANT
    assert visible_agents(leader).count() == Agent.objects.count()


def test_an_agent_sees_themselves(story: Tenant) -> None:
    assert [agent.number for agent in visible_agents(person("wangfang"))] == ["1001"]


def test_a_team_leader_sees_the_calls_the_team_took_part_in(story: Tenant) -> None:
    own, not_own = Agent.objects.get(number="1009"), Agent.objects.get(number="1001")
    at = "2026-11-22T09:00:00Z"
    for pk, last in (("last", own), ("earlier", not_own), ("foreign", not_own)):
        Call.objects.create(id=pk, tenant=story, started_at=at, last_agent=last)
    Segment.objects.create(call_id="earlier", tenant=story, sequence=1, kind="talk", started_at=at, agent=own)
    assert set(visible_calls(person("hemin"), story.pk).values_list("pk", flat=True)) == {"last", "earlier"}
    assert visible_calls(person("huang"), story.pk).count() == 3
    assert not visible_calls(person("wangfang"), story.pk).exists()
    assert not visible_calls(person("huang"), story.pk + 1).exists()


def test_a_guarded_page_sends_strangers_to_sign_in_and_refuses_the_others(story: Tenant, rf: RequestFactory) -> None:
    page = permission_required("calls.view")(lambda request: HttpResponse("seen"))
    request: Any = rf.get("/somewhere/?a=1")
    request.user = AnonymousUser()
    assert page(request)["Location"] == "/login/?next=/somewhere/%3Fa%3D1"
    request.user = person("huang")
    assert page(request).status_code == 200
    request.user = person("wangfang")
    with pytest.raises(PermissionDenied):
        page(request)
