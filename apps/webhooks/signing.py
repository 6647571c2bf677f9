"""Signatures as Standard Webhooks has them (github.com/standard-webhooks/standard-webhooks, spec 1.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from apps.accounts.sealing import Unreadable, unseal
from apps.webhooks.models import Endpoint, new_sealed_secret

OLD_SECRET_SIGNS_FOR = timedelta(hours=24)


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 of ``id.timestamp.body``."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def headers(endpoint: Endpoint, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers. After a rotation the old key signs beside the new one for a day.

    Raises ``sealing.Unreadable``.
    """
    timestamp = int(now.timestamp())
    keys = [endpoint.secret]
    if endpoint.sealed_old_secret and endpoint.old_secret_until is not None and now < endpoint.old_secret_until:
        keys.append(endpoint.old_secret)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(key, message_id, timestamp, body) for key in keys),
    }


def rotate(endpoint: Endpoint, now: datetime) -> None:
    """A new key; for a day the old one signs as well, where it can still be read."""
    try:
        unseal(endpoint.sealed_secret)
        endpoint.sealed_old_secret, endpoint.old_secret_until = endpoint.sealed_secret, now + OLD_SECRET_SIGNS_FOR
    except Unreadable:
        endpoint.sealed_old_secret, endpoint.old_secret_until = "", None
    endpoint.sealed_secret = new_sealed_secret()
    endpoint.save(update_fields=["sealed_secret", "sealed_old_secret", "old_secret_until"])
