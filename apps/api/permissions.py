"""Whether a request may do what a view is for: the view names a scope, the token and the person must both have it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.models import User
from apps.api import scopes
from apps.api.models import ApiToken
from apps.api.problems import Forbidden


def scopes_of(request: Request) -> frozenset[str]:
    """What this request may do: the person's role, cut to the token where there is one."""
    if not isinstance(request.user, User):
        return frozenset()
    allowed: frozenset[str] = frozenset(str(scope) for scope in scopes.of_user(request.user))
    return allowed & set(request.auth.scopes) if isinstance(request.auth, ApiToken) else allowed


class HasScope(BasePermission):
    """``scope`` of the view, or ``scopes_by_action`` where its actions differ. A view without either is a mistake."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, User):
            return False  # DRF answers 401
        if isinstance(request.auth, ApiToken) and getattr(view, "pages_only", False):
            raise Forbidden("pages_only", _("This is for people on our pages, not for tokens."))
        wanted = wanted_scope(view)
        if wanted is None or wanted in scopes_of(request):
            return True
        if isinstance(request.auth, ApiToken) and wanted not in request.auth.scopes:
            header = f'Bearer realm="trunkline", error="insufficient_scope", scope="{wanted}"'
            raise Forbidden(
                "insufficient_scope",
                _("The token lacks the scope %(scope)s.") % {"scope": wanted},
                headers={"WWW-Authenticate": header},
                scope=wanted,
            )
        raise Forbidden("permission_denied", _("Your role may not do this."), scope=wanted)


def wanted_scope(view: Any) -> str | None:
    """The scope of the view's present action; None where anybody signed in may ask."""
    by_action: dict[str, str] = getattr(view, "scopes_by_action", {})
    return by_action.get(getattr(view, "action", "") or "", getattr(view, "scope", None))
