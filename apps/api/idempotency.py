"""``Idempotency-Key``: a POST that is sent again within 24 hours gets the first answer and does nothing twice.

The row is made before the work and filled after it (draft-ietf-httpapi-idempotency-key-header). A repeat while the
first still works is refused with 409, the same key with another request with 422.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from apps.accounts.models import Tenant, User
from apps.api.models import IdempotentRequest
from apps.api.problems import Problem

KEPT = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(seconds=60)
"""A request that has not been answered after so long died with its process; a repeat may take over."""
KEPT_HEADERS = ("Location", "ETag")
NAMESPACE = uuid.UUID("b4f1a7a4-6a55-4d3f-9a6c-0d6b0e3d8b51")


class Answered(Exception):
    """The request was answered before; this is the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def begin(request: Request, tenant: Tenant, user: User, key: str) -> IdempotentRequest:
    """The row for this request. Raises ``Answered`` for a repeat, ``Problem`` for one that cannot be."""
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Problem("invalid", _("Idempotency-Key must be 1 to 255 printable ASCII characters."))
    fingerprint = _fingerprint(request)
    now = timezone.now()
    with transaction.atomic():
        IdempotentRequest.objects.filter(tenant=tenant, user=user, key=key, started_at__lt=now - KEPT).delete()
        row, made = IdempotentRequest.objects.select_for_update().get_or_create(
            tenant=tenant, user=user, key=key, defaults={"fingerprint": fingerprint, "started_at": now}
        )
        if made:
            return row
        if row.fingerprint != fingerprint:
            raise Problem("idempotency_key_reused", _("This Idempotency-Key was used for another request."), status=422)
        if row.status is not None:
            raise Answered(_answer(row))
        if row.started_at > now - GIVEN_UP_AFTER:
            raise Problem(
                "idempotency_in_progress",
                _("The first request with this Idempotency-Key is still being worked on."),
                status=409,
                headers={"Retry-After": "1"},
            )
        row.started_at = now
        row.save(update_fields=["started_at"])
        return row


def finish(row: IdempotentRequest, response: Response) -> None:
    """Keep the answer. After a fault of ours there is none to keep: the request may be tried again, as the same row."""
    if response.status_code >= 500:
        row.started_at = timezone.now() - GIVEN_UP_AFTER
        row.save(update_fields=["started_at"])
        return
    row.status = response.status_code
    row.body = json.loads(json.dumps(response.data, cls=JSONEncoder))
    row.headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
    if response.content_type:
        row.headers["Content-Type"] = response.content_type
    row.save(update_fields=["status", "body", "headers"])


def stable_id(row: IdempotentRequest | None) -> uuid.UUID:
    """The id of what the request makes: the same again when the request is tried again after a fault or a crash."""
    return uuid.uuid5(NAMESPACE, f"{row.pk}:{row.fingerprint}") if row is not None else uuid.uuid4()


def forget_old() -> int:
    """Drops rows past their time; returns how many."""
    return IdempotentRequest.objects.filter(started_at__lt=timezone.now() - KEPT).delete()[0]


def _answer(row: IdempotentRequest) -> Response:
    headers = {**row.headers, "Idempotency-Replayed": "true"}
    content_type = headers.pop("Content-Type", None)
    return Response(row.body, status=row.status, headers=headers, content_type=content_type)


def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    digest.update(json.dumps(request.data, sort_keys=True, default=str).encode())
    for name, file in sorted(request.FILES.items()):
        digest.update(f"\n{name}:{file.size}\n".encode())
        for chunk in file.chunks():
            digest.update(chunk)
        file.seek(0)
    return digest.hexdigest()
