"""Commands to the engine: an id at once, the outcome later (``RequestDone`` or ``RequestRefused`` with that id).

The row is written before the engine is asked, so that an outcome always finds it. Its id follows from the idempotency
row where there is one: a repeat after a crash asks with the same id, and the engine does nothing twice.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from apps.accounts.models import Tenant, User
from apps.api import idempotency
from apps.api.models import ApiToken, Command, IdempotentRequest
from apps.api.problems import EngineAway, Problem
from apps.calls.projection import StoredFact, moment
from apps.core import events
from apps.core.facts import RequestDone, RequestRefused
from apps.core.ids import TenantId
from apps.live import from_threads
from apps.live.engine_client import EngineRefused, EngineUnreachable

NO_OUTCOME_AFTER = timedelta(seconds=60)
NO_OUTCOME = "no_outcome"
KEPT = timedelta(days=7)
PREFIX = "api-"

Common = dict[str, str]


def give(
    request: Request,
    tenant: Tenant,
    action: str,
    subject: str,
    build: Callable[[Common], events.Request],
    *,
    seed: IdempotentRequest | None = None,
) -> Command:
    """Ask the engine. ``build`` makes the request from ``tenant``, ``cmd_id`` and ``actor``.

    Raises ``EngineAway`` when the engine did not take it; the command's id is in the problem, for it may have.
    """
    assert isinstance(request.user, User)
    fields = {"tenant": tenant, "user": request.user, "action": action, "subject": subject}
    command, _made = Command.objects.get_or_create(
        pk=idempotency.stable_id(seed), defaults={**fields, "created_at": timezone.now()}
    )
    common = {"tenant": TenantId(str(tenant.pk)), "cmd_id": command.engine_id, "actor": _actor(request)}
    try:
        from_threads.send(build(common))
    except EngineRefused as error:
        _finish(command.pk, "rejected", str(error), timezone.now())
        raise Problem("rejected", _("The engine did not accept this."), status=422, command=str(command.pk)) from error
    except EngineUnreachable as error:
        raise EngineAway(command=str(command.pk)) from error
    return command


def wait_for(command: Command, wait_s: float) -> Command:
    """The command as it is known at the latest after ``wait_s`` seconds."""
    if command.finished_at is not None:
        return command
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: others need it more than somebody who waits
    code: str | None = None
    with contextlib.suppress(EngineUnreachable):  # then what the recorder has stored is all that is known
        code = from_threads.outcome(command.engine_id, wait_s)
    command.refresh_from_db()
    if command.finished_at is not None:
        return command
    if code is not None:
        command.finished_at, command.refused_code = timezone.now(), code  # its reason comes with the stored fact
    elif timezone.now() - command.created_at > NO_OUTCOME_AFTER:
        command.finished_at, command.refused_code = command.created_at + NO_OUTCOME_AFTER, NO_OUTCOME
        command.refused_reason = "the engine never said what became of it"
    return command


def note_outcomes(new: Sequence[StoredFact]) -> None:
    """Follower of history: keep the outcomes of our commands."""
    for item in new:
        fact = item.fact
        if not isinstance(fact, RequestDone | RequestRefused) or not fact.cmd_id.startswith(PREFIX):
            continue
        with contextlib.suppress(ValueError):  # an id that only looks like ours
            pk = uuid.UUID(fact.cmd_id.removeprefix(PREFIX))
            code, reason = (fact.code, fact.reason) if isinstance(fact, RequestRefused) else ("", "")
            _finish(pk, code, reason, moment(fact.at_ms))


def forget_old() -> int:
    return Command.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _finish(pk: uuid.UUID, code: str, reason: str, at: datetime) -> None:
    Command.objects.filter(pk=pk, finished_at=None).update(
        finished_at=at, refused_code=code[:40], refused_reason=reason[:2000]
    )


def _actor(request: Request) -> str:
    """For the audit: the person, and the token where it was one of their programs."""
    name = request.user.get_username()
    return f"{name}/{request.auth.prefix}" if isinstance(request.auth, ApiToken) else name
