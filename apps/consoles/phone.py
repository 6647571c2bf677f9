"""The telephone in the agent's page: its account, for that agent's own page alone; and the demo's callers' voices.

Browser phones register over the switch's WebSocket. A simulated switch moves no sound: there the page plays what the
simulated caller says (``fixtures/sounds/callers``).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.agents.models import Agent, DeviceChoice
from apps.consoles import turn
from apps.live import access
from apps.telephony.models import SipAccount, Switch
from apps.telephony.models.switches import SwitchKind

VOICES = Path(settings.BASE_DIR) / "fixtures" / "sounds" / "callers"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def own_agent(request: HttpRequest) -> Agent:
    """The agent this user is. Raises ``PermissionDenied``."""
    seat = access.seat_of(request.user)
    if seat is None:
        raise PermissionDenied
    return Agent.objects.select_related("sip_account__switch").get(pk=seat.agent, tenant_id=int(seat.tenant))


@login_required
@require_POST
@never_cache
def account(request: HttpRequest) -> JsonResponse:
    """What this agent's own page registers with. A POST, so that another site's page can neither ask nor read."""
    agent = own_agent(request)
    sip = agent.sip_account
    if agent.device_kind != DeviceChoice.BROWSER or sip is None or not sip.enabled:
        return JsonResponse({"kind": "none"})
    if sip.switch.kind == SwitchKind.SIMULATOR:
        return JsonResponse({"kind": "simulated", "voices": _voices()})
    return JsonResponse(_sip(request, sip))


def _sip(request: HttpRequest, sip: SipAccount) -> dict[str, Any]:
    return {
        "kind": "sip",
        "url": websocket_url(sip.switch, secure=request.is_secure(), host=_host(request)),
        "uri": f"sip:{sip.username}@{sip.switch.domain}",
        "user": sip.username,
        "password": sip.secret,
        "ice_servers": [{"urls": url} for url in sip.switch.stun_servers.split()] + _relays(sip.username),
        "renew_s": settings.TURN_VALID_S // 4 if settings.TURN_SERVERS else None,
    }


def _relays(who: str) -> list[dict[str, Any]]:
    if not settings.TURN_SERVERS:
        return []
    return [turn.ice_server(settings.TURN_SERVERS, settings.TURN_SECRET, who, time.time(), settings.TURN_VALID_S)]


def websocket_url(switch: Switch, *, secure: bool, host: str) -> str:
    """Where browsers reach the switch: as configured, else on its own ports.

    Browsers take plain ``ws:`` only from a page that came over plain http, which is for this machine alone.
    """
    if switch.websocket_url:
        return switch.websocket_url
    if not secure and host in LOOPBACK:
        return f"ws://127.0.0.1:{switch.ws_port}"
    return f"wss://{switch.external_address or switch.domain}:{switch.wss_port}"


def _host(request: HttpRequest) -> str:
    name, _, port = request.get_host().rpartition(":")
    return name if name and port.isdecimal() else request.get_host()


def _voices() -> dict[str, list[list[dict[str, Any]]]]:
    """Language -> scripts of lines, each with the address of its sound."""
    listed = json.loads((VOICES / "voices.json").read_text(encoding="utf-8"))
    return {
        lang: [
            [
                {"who": line["who"], "ms": line["ms"], "url": reverse("agent-voice", args=[line["file"]])}
                for line in script
            ]
            for script in language["scripts"]
        ]
        for lang, language in listed.items()
    }


@login_required
@require_GET
@cache_control(private=True, max_age=86_400)
def voice(request: HttpRequest, name: str) -> HttpResponseBase:
    """A line of a simulated caller; ``name`` is a plain file name (the address says so)."""
    own_agent(request)
    path = VOICES / name
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), content_type="audio/wav")
