"""What supervisors do about an alarm of their floor: look after it, put it aside for a while, take it back."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.audit_events import Event, note
from apps.accounts.models import User
from apps.consoles.floor import floor_tenant, problem
from apps.live.floor_alarms import concerns, may_shelve
from apps.live.from_threads import alarm_acknowledged, alarm_shelved
from apps.queues.scope import Scope
from apps.queues.selectors import scope_of
from apps.reports import alarm_rows
from apps.reports.models import RaisedAlarm, ShelvedAlarm

MAX_TEXT = 500
MAX_BODY = 4096
LONGEST_SHELF_MIN = 60


class Refused(Exception):
    def __init__(self, answer: HttpResponse) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class Asked(NamedTuple):
    tenant: int
    user: User
    scope: Scope | None
    alarm_id: str
    text: str  # the note or the reason
    data: dict[str, Any]


@login_required
@require_POST
def acknowledge(request: HttpRequest) -> HttpResponse:
    """``{"id", "note"}``: this person looks after an alarm."""
    try:
        asked = _asked(request, "note")
    except Refused as refusal:
        return refusal.answer
    alarm = alarm_rows.acknowledge(asked.tenant, asked.alarm_id, asked.user, asked.text)
    if alarm is None:
        return _gone()
    alarm_acknowledged(asked.tenant, alarm)
    note(Event.ALARM_TAKEN, RaisedAlarm, name=alarm.id, tenant_id=asked.tenant, actor=asked.user, note=asked.text)
    return JsonResponse({"id": alarm.id, "acked_by": alarm.acked_by, "note": alarm.note})


@login_required
@require_POST
def shelve(request: HttpRequest) -> HttpResponse:
    """``{"id", "minutes", "reason"}``: no noise about it for so long, even if it comes anew."""
    try:
        asked = _asked(request, "reason")
    except Refused as refusal:
        return refusal.answer
    minutes = asked.data.get("minutes")
    if type(minutes) is not int or not 1 <= minutes <= LONGEST_SHELF_MIN:
        return problem(400, _("For 1 to %(most)s minutes, please.") % {"most": LONGEST_SHELF_MIN})
    if not asked.text:
        return problem(400, _("A reason, please: others must know why it is quiet."))
    if not may_shelve(*_parts(asked.alarm_id), asked.scope):
        return problem(403, _("This concerns everybody: only who watches the whole floor puts it aside."))
    shelf = alarm_rows.shelve(asked.tenant, asked.alarm_id, asked.user, minutes, asked.text)
    if shelf is None:
        return _gone()
    alarm_shelved(asked.tenant, shelf.alarm_id, shelf)
    note(
        Event.ALARM_SHELVED, ShelvedAlarm, name=shelf.alarm_id, tenant_id=asked.tenant, actor=asked.user,
        minutes=minutes, reason=asked.text,
    )  # fmt: skip
    return JsonResponse({"id": shelf.alarm_id, **shelf.shown()})


@login_required
@require_POST
def unshelve(request: HttpRequest) -> HttpResponse:
    """``{"id"}``: it may be heard again."""
    try:
        asked = _asked(request, "reason")
    except Refused as refusal:
        return refusal.answer
    if not may_shelve(*_parts(asked.alarm_id), asked.scope):
        return problem(403, _("This concerns everybody: only who watches the whole floor puts it aside."))
    if not alarm_rows.unshelve(asked.tenant, asked.alarm_id, asked.user):
        return problem(404, _("This alarm is not put aside."))
    alarm_shelved(asked.tenant, asked.alarm_id, None)
    note(Event.ALARM_UNSHELVED, ShelvedAlarm, name=asked.alarm_id, tenant_id=asked.tenant, actor=asked.user)
    return JsonResponse({"id": asked.alarm_id})


def _asked(request: HttpRequest, text_name: str) -> Asked:
    """Raises ``Refused`` and ``PermissionDenied``."""
    tenant, user = floor_tenant(request), request.user
    assert isinstance(user, User)
    data = _json(request)
    alarm_id, text = data.get("id"), data.get(text_name, "")
    known = isinstance(alarm_id, str) and len(alarm_id) <= 200 and alarm_id.isprintable()
    if not known or not isinstance(text, str) or len(text) > MAX_TEXT:
        detail = _("An alarm's id and a note of at most %(most)s characters, please.") % {"most": MAX_TEXT}
        raise Refused(problem(400, detail))
    scope = scope_of(user)
    if not concerns(*_parts(str(alarm_id)), scope):
        raise Refused(_gone())
    return Asked(tenant.pk, user, scope, str(alarm_id), _storable(text), data)


def _parts(alarm_id: str) -> tuple[str, str]:
    kind, _colon, subject = alarm_id.partition(":")
    return kind, subject


def _gone() -> HttpResponse:
    return problem(404, _("This alarm no longer stands."))


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        data = json.loads(request.body) if len(request.body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, dict) else {}


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "ignore").decode().strip()
