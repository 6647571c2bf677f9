"""Making, recognising and revoking tokens: ``tl_<prefix>_<secret>``, 256 random bits."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from datetime import datetime, timedelta

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from apps.accounts.audit_events import Event, clean_address, note
from apps.accounts.models import Tenant, User
from apps.api.models import DEFAULT_RATE_PER_MIN, ApiToken

SHAPE = re.compile(r"(tl_[a-z0-9]{10})_([A-Za-z0-9_-]{43})")
USE_NOTED_EVERY = timedelta(minutes=1)
MOST_SEEN = 10_000
_seen: set[tuple[int, str]] = set()
"""Tokens and addresses that this process has looked up in the audit log."""
_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def issue(
    tenant: Tenant,
    user: User,
    *,
    name: str,
    scopes: list[str],
    networks: list[str] | None = None,
    expires_at: datetime | None = None,
    rate_per_min: int = DEFAULT_RATE_PER_MIN,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can read again."""
    token = ApiToken(
        tenant=tenant,
        user=user,
        name=name,
        scopes=scopes,
        networks=networks or [],
        expires_at=expires_at,
        rate_per_min=rate_per_min,
    )
    text = give_secret(token)
    token.save()
    return token, text


def give_secret(token: ApiToken) -> str:
    """Make a secret for a token that is not saved yet; the caller saves it and shows the text once."""
    token.prefix = "tl_" + "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    token.secret_hash = _hash(secret)
    return f"{token.prefix}_{secret}"


def recognise(text: str) -> ApiToken | None:
    """The token with this secret, whether or not it may still be used; None for anything else."""
    match = SHAPE.fullmatch(text)
    if match is None:
        return None
    token = ApiToken.objects.select_related("user", "tenant").filter(prefix=match[1]).first()
    # A plain hash is enough for a secret that cannot be guessed; a slow one would cost every request.
    return token if token is not None and hmac.compare_digest(token.secret_hash, _hash(match[2])) else None


def revoke(token: ApiToken) -> None:
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])


def allows_address(token: ApiToken, address: str) -> bool:
    if not token.networks:
        return True
    try:
        asking = ipaddress.ip_address(address)
    except ValueError:
        return False  # behind a unix socket without a proxy's word there is no address to allow
    mapped = getattr(asking, "ipv4_mapped", None)
    return any((mapped or asking) in ipaddress.ip_network(network, strict=False) for network in token.networks)


def note_use(token: ApiToken, address: str) -> None:
    """Roughly: once a minute, so that a busy token does not write with every request. A new address at once."""
    now, clean = timezone.now(), clean_address(address)
    if clean is not None and (token.pk, clean) not in _seen:
        _note_address(token, clean)
    if token.last_used_at is None or now - token.last_used_at > USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now, last_used_from=clean)


def _note_address(token: ApiToken, address: str) -> None:
    """The audit log is told of it, and is the memory of what was told."""
    told = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(ApiToken), object_pk=str(token.pk), remote_addr=address,
        additional_data__event=Event.TOKEN_MOVED,
    )  # fmt: skip
    if not told.exists():
        note(Event.TOKEN_MOVED, token, tenant_id=token.tenant_id, actor=token.user, address=address)
    if len(_seen) >= MOST_SEEN:
        _seen.clear()
    _seen.add((token.pk, address))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
