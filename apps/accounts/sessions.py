"""Sessions as their tenant wants them: how long they live, how many a person has, and what must be done first.

allauth keeps a row for each session (``UserSession``): when it began, when it was last used and from where.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.accounts.models import MfaPolicy, Role, SessionsAtOnce, Tenant, User
from apps.accounts.passwords import is_expired

TOUCH_EVERY = datetime.timedelta(seconds=60)
"""How exactly the last use of a session is known; a page that is open uses it too."""
PRESENT = datetime.timedelta(minutes=3)
"""Who was not seen for so long has left: a crashed browser does not lock its owner out."""
SUPERUSER_IDLE = datetime.timedelta(hours=1)
SUPERUSER_LIFE = datetime.timedelta(hours=12)


def is_over(user: User, row: UserSession) -> bool:
    """Idle for too long, or older than a session may become."""
    tenant = user.tenant
    idle = datetime.timedelta(minutes=tenant.idle_timeout_min) if tenant is not None else SUPERUSER_IDLE
    life = datetime.timedelta(hours=tenant.session_hours) if tenant is not None else SUPERUSER_LIFE
    now = timezone.now()
    return bool(now - row.last_seen_at > idle or now - row.created_at > life)


def live_users(keys: Iterable[str]) -> dict[str, User]:
    """Whom each of these sessions still belongs to; one that ended is not in the answer.

    A session ends when it is deleted or runs out, when its user is disabled or changes the password, and by the
    tenant's policy. A fixed number of queries, however many there are.
    """
    wanted = list(keys)
    stored = {row.session_key: row.get_decoded() for row in Session.objects.filter(pk__in=wanted, **_unexpired())}
    people = User.objects.select_related("tenant").in_bulk(
        {data[SESSION_KEY] for data in stored.values() if SESSION_KEY in data}
    )
    rows = {row.session_key: row for row in UserSession.objects.filter(session_key__in=wanted)}
    alive = {}
    for key, data in stored.items():
        user = people.get(_pk(data.get(SESSION_KEY)))
        if user is None or not user.is_active or not _same_password(user, data.get(HASH_SESSION_KEY, "")):
            continue
        if key in rows and is_over(user, rows[key]):
            continue
        alive[key] = user
    return alive


def _unexpired() -> dict[str, datetime.datetime]:
    return {"expire_date__gt": timezone.now()}


def _pk(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else 0


def _same_password(user: User, session_hash: str) -> bool:
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session_hash, item) for item in hashes)


def touch(keys: Iterable[str]) -> None:
    """These sessions are in use now."""
    now = timezone.now()
    UserSession.objects.filter(session_key__in=list(keys), last_seen_at__lt=now - TOUCH_EVERY).update(last_seen_at=now)


# --- how many -------------------------------------------------------------------------------------------------------


def sessions_of(user: User) -> QuerySet[UserSession]:
    rows: QuerySet[UserSession] = UserSession.objects.filter(user=user)
    return rows


def present_elsewhere(user: User) -> bool:
    """Whether a session of this person is in use."""
    rows = list(sessions_of(user).filter(last_seen_at__gte=timezone.now() - PRESENT))
    return bool(live_users(row.session_key for row in rows))


def may_sign_in(user: User) -> bool:
    """False where the earlier of two sessions is to win and there is one."""
    policy = user.tenant.sessions_at_once if user.tenant is not None else SessionsAtOnce.MANY
    return policy != SessionsAtOnce.OLDEST or not present_elsewhere(user)


def end_sessions(user: User, *, but: str | None = None) -> int:
    """Sign this person out everywhere, or everywhere but in session ``but``. Returns how many sessions ended.

    Open pages of the ended sessions close within moments (``apps.live``).
    """
    ended = 0
    for row in sessions_of(user).exclude(session_key=but):
        row.end()
        ended += 1
    return ended


# --- what must be done first ----------------------------------------------------------------------------------------

PASSWORD, SECOND_FACTOR = "password", "second_factor"


def duty(user: User) -> str:
    """What this person must do before anything else: ``PASSWORD``, ``SECOND_FACTOR`` or nothing (empty)."""
    if user.must_change_password or is_expired(user):
        return PASSWORD
    return SECOND_FACTOR if needs_second_factor(user) and not has_second_factor(user) else ""


def needs_second_factor(user: User) -> bool:
    """By the tenant's policy. Who stands above the tenants is held to the strictest of theirs."""
    if user.is_superuser or user.tenant is None:
        return Tenant.objects.exclude(mfa_policy=MfaPolicy.NOBODY).exists()
    return {
        MfaPolicy.EVERYBODY: True,
        MfaPolicy.STAFF: user.role != Role.AGENT,
        MfaPolicy.ADMINS: user.role == Role.ADMIN,
    }.get(MfaPolicy(user.tenant.mfa_policy), False)


def has_second_factor(user: User) -> bool:
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user=user, type__in=kinds).exists())
