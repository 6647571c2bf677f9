"""The agent's page and what its script needs before the first word over the websocket."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.agents.models import Disposition, PauseReason
from apps.consoles.phone import own_agent


@login_required
def agent(request: HttpRequest) -> HttpResponse:
    mine = own_agent(request)
    page = {
        "agent": str(mine.pk),
        "name": mine.name,
        # ``parent`` is the code of the heading it belongs to, or None.
        "dispositions": [
            {"code": code, "name": name, "parent": parent}
            for code, name, parent in Disposition.objects.filter(tenant_id=mine.tenant_id).values_list(
                "code", "name", "parent__code"
            )
        ],
        "pause_reasons": list(
            PauseReason.objects.filter(tenant_id=mine.tenant_id).values("code", "name", "allowed_min")
        ),
    }
    return render(request, "consoles/agent.html", {"page": page})
