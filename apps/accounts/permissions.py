"""Who may do what, and to whom. The one place that knows; everything else asks ``can``.

A permission is a code such as ``calls.listen``. A role is a named set of codes. Whom the permission covers is the
reach: the whole tenant, or the agents of the teams one leads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from apps.accounts.models import Reach, Role, Team, Tenant, User

if TYPE_CHECKING:
    from apps.agents.models import Agent

Anybody = AbstractBaseUser | AnonymousUser

_AGENT = frozenset(
    {
        "console.use",
        "calls.dial",
        "customers.view",
        "customers.edit",
    }
)
_SUPERVISOR = frozenset(
    {
        *_AGENT,
        "floor.view",
        "agents.view",
        "agents.force",
        "queues.view",
        "calls.view",
        "calls.listen",
        "calls.control",
        "calls.export",
        "reports.view",
        "reports.export",
        "customers.import",
        "customers.export",
        "customers.merge",
    }
)
_INTEGRATOR = frozenset(
    {
        "api.use",
        "agents.view",
        "agents.force",
        "queues.view",
        "calls.view",
        "calls.listen",
        "calls.dial",
        "customers.view",
        "customers.edit",
        "customers.import",
        "customers.export",
        "customers.merge",
        "reports.view",
        "integrations.edit",  # tokens and webhooks are their work
    }
)
_ADMIN = frozenset(
    {
        *_SUPERVISOR,
        *_INTEGRATOR,
        "customers.delete",
        "settings.view",
        "settings.edit",
        "users.edit",
        "audit.view",
        "system.view",
    }
)
ROLES: Mapping[str, frozenset[str]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: _ADMIN,
    Role.INTEGRATOR: _INTEGRATOR,
}
CODES = frozenset().union(*ROLES.values())


class UnknownPermission(LookupError):
    """The code asks for a permission that no role has: a mistake in the code that asks."""


def codes_of(user: Anybody) -> frozenset[str]:
    """Every permission of this user; none for a stranger, a disabled account or one without a tenant."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    if user.is_superuser:
        return CODES
    return ROLES.get(user.role, frozenset()) if user.tenant_id is not None else frozenset()


def can(
    user: Anybody,
    code: str,
    *,
    agent: Agent | None = None,
    team: Team | None = None,
    tenant: Tenant | int | None = None,
) -> bool:
    """Whether ``user`` has permission ``code``, and over this agent, team or tenant where one is named.

    Reads the database only to learn which teams somebody leads. Raises ``UnknownPermission``.
    """
    if code not in CODES:
        raise UnknownPermission(code)
    if code not in codes_of(user):
        return False
    assert isinstance(user, User)
    if tenant is not None and not _same_tenant(user, tenant.pk if isinstance(tenant, Tenant) else tenant):
        return False
    if team is not None and not (_same_tenant(user, team.tenant_id) and covers_team(user, team.pk)):
        return False
    return agent is None or (_same_tenant(user, agent.tenant_id) and covers_team(user, agent.team_id))


def _same_tenant(user: User, tenant_id: int) -> bool:
    return user.is_superuser or user.tenant_id == tenant_id


def team_ids(user: Anybody) -> frozenset[int] | None:
    """The teams that a user's permissions are confined to; None where they cover the whole tenant."""
    if not isinstance(user, User):
        return frozenset()
    if user.is_superuser or user.role != Role.SUPERVISOR or user.reach != Reach.TEAMS:
        return None
    return frozenset(user.led_teams.filter(tenant=user.tenant).values_list("pk", flat=True))


def covers_team(user: User, team_id: int | None) -> bool:
    teams = team_ids(user)
    return teams is None or team_id in teams


def visible_agents(user: Anybody) -> QuerySet[Agent]:
    """The agents whom this user may see: of the tenant, or of the teams led; an agent sees themselves.

    A superuser sees those of all tenants: narrow by tenant where one was chosen.
    """
    from apps.agents.models import Agent  # the agents' models stand on ours

    agents: QuerySet[Agent] = Agent.objects.all()
    if not isinstance(user, User) or not codes_of(user):
        return agents.none()
    if not user.is_superuser:
        agents = agents.filter(tenant=user.tenant)
    if "agents.view" not in codes_of(user):
        return agents.filter(user=user)
    teams = team_ids(user)
    return agents if teams is None else agents.filter(team__in=teams)


# --- for views, REST and templates ----------------------------------------------------------------------------------

View = Callable[..., HttpResponseBase]


def permission_required(code: str) -> Callable[[View], View]:
    """For a page: a stranger is asked to sign in, who lacks the permission is refused."""
    assert code in CODES, code

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not can(request.user, code):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def permissions(request: HttpRequest) -> dict[str, Any]:
    """For templates: ``{% if "calls.view" in permissions %}``."""
    return {"permissions": SimpleLazyObject(lambda: codes_of(request.user))}
