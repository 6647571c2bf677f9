"""The integrators' page: tokens and webhooks. Its data come from the REST interface."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.permissions import permission_required
from apps.api import scopes
from apps.api.models import DEFAULT_RATE_PER_MIN
from apps.webhooks.models import EventType


@permission_required("integrations.edit")
def integrations(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    allowed = scopes.of_user(request.user)
    page = {
        "tenant": request.GET.get("tenant", "") if request.user.is_superuser else "",
        "scopes": [{"id": scope.value, "name": str(scope.label)} for scope in scopes.Scope if scope in allowed],
        "events": [{"id": event.value, "name": str(event.label)} for event in EventType],
        "rate": DEFAULT_RATE_PER_MIN,
        "docs": reverse("api-docs"),
        "schema": reverse("api-schema"),
    }
    return render(request, "consoles/integrations.html", {"page": page})
