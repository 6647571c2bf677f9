"""Signatures as Standard Webhooks has them (github.com/standard-webhooks/standard-webhooks, spec 1.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from apps.webhooks.models import Endpoint, new_secret

OLD_SECRET_SIGNS_FOR = timedelta(hours=24)


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 of ``id.timestamp.body``."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def headers(endpoint: Endpoint, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers. After a rotation the old key signs beside the new one for a day."""
    timestamp = int(now.timestamp())
    keys = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_secret_until is not None and now < endpoint.old_secret_until:
        keys.append(endpoint.old_secret)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(key, message_id, timestamp, body) for key in keys),
    }


def rotate(endpoint: Endpoint, now: datetime) -> None:
    endpoint.old_secret, endpoint.old_secret_until = endpoint.secret, now + OLD_SECRET_SIGNS_FOR
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "old_secret", "old_secret_until"])
