"""What belongs into the audit log besides changed rows: who came and went, heard, took out, merged, erased.

Each is an entry of django-auditlog like the others (action *access*, its ``event`` beside the tenant), so there is one
log, one page and one time for which it is kept. ``note`` is called where the thing is done.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from allauth.mfa import signals as mfa
from auditlog.models import LogEntry
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User

SHOWN_OF_UNKNOWN = 3
"""Characters kept of a name that is nobody's: people type passwords there."""


class Event(models.TextChoices):
    SIGNED_IN = "signed_in", _("signed in")
    SIGNED_OUT = "signed_out", _("signed out")
    SIGN_IN_FAILED = "sign_in_failed", _("sign-in failed")
    LOCKED_OUT = "locked_out", _("locked out after failures")
    UNLOCKED = "unlocked", _("unlocked")
    SESSION_ENDED = "session_ended", _("sessions ended")
    FACTOR_ADDED = "factor_added", _("second factor added")
    FACTOR_REMOVED = "factor_removed", _("second factor removed")
    FACTOR_FAILED = "factor_failed", _("second factor failed")
    TOKEN_MOVED = "token_moved", _("token used from a new address")
    RECORDING_PLAYED = "recording_played", _("recording heard")
    RECORDING_TAKEN = "recording_taken", _("recording downloaded")
    ALARM_TAKEN = "alarm_taken", _("alarm taken on")
    ALARM_SHELVED = "alarm_shelved", _("alarm shelved")
    ALARM_UNSHELVED = "alarm_unshelved", _("alarm no longer put aside")
    CUSTOMERS_MERGED = "customers_merged", _("customers merged")
    CUSTOMER_ERASED = "customer_erased", _("customer erased")
    CUSTOMER_TOLD = "customer_told", _("one customer's data taken out")
    CUSTOMERS_TAKEN = "customers_taken", _("customers taken out")
    IMPORT_STARTED = "import_started", _("import started")
    IMPORT_ENDED = "import_ended", _("import ended")


def note(
    event: Event,
    about: models.Model | type[models.Model],
    *,
    tenant_id: int | None,
    name: str = "",
    actor: User | None = None,
    address: str | None = None,
    **details: object,
) -> None:
    """One entry. ``about`` is a row, or a kind where no one row is meant; then ``name`` says what.

    Within a request ``actor`` and ``address`` are known without being named.
    """
    pk = about.pk if isinstance(about, models.Model) else None
    LogEntry.objects.create(
        content_type=ContentType.objects.get_for_model(about),
        object_pk=str(pk if pk is not None else ""),
        object_id=pk if isinstance(pk, int) else None,
        object_repr=(name or str(about))[:200],
        action=LogEntry.Action.ACCESS,
        changes={key: [str(value)[:500]] for key, value in details.items() if value not in (None, "")},
        actor=actor,
        remote_addr=clean_address(address),
        additional_data={"tenant": tenant_id, "event": event.value},
    )


def clean_address(text: str | None) -> str | None:
    """PostgreSQL takes nothing else for an address; over a unix socket there is none."""
    try:
        return str(ipaddress.ip_address(text or ""))
    except ValueError:
        return None


# --- signing in and out, as Django, axes and allauth tell it --------------------------------------------------------


def listen() -> None:
    user_logged_in.connect(_signed_in, dispatch_uid="audit")
    user_logged_out.connect(_signed_out, dispatch_uid="audit")
    user_login_failed.connect(_failed, dispatch_uid="audit")
    user_locked_out.connect(_locked, dispatch_uid="audit")
    mfa.authenticator_added.connect(_factor_added, dispatch_uid="audit")
    mfa.authenticator_removed.connect(_factor_removed, dispatch_uid="audit")
    mfa.authentication_failed.connect(_factor_failed, dispatch_uid="audit")


def _of_person(event: Event, user: User, request: HttpRequest | None, *, by_owner: bool = True, **details: Any) -> None:
    address = request.META.get("REMOTE_ADDR") if request is not None else None
    actor = user if by_owner else None
    note(event, user, tenant_id=user.tenant_id, actor=actor, address=address, **details)


def _signed_in(request: HttpRequest, user: User, **_signal: Any) -> None:
    _of_person(Event.SIGNED_IN, user, request, browser=request.META.get("HTTP_USER_AGENT", ""))


def _signed_out(request: HttpRequest, user: User | None, **_signal: Any) -> None:
    if user is not None:
        _of_person(Event.SIGNED_OUT, user, request)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any) -> None:
    """Once a name is locked its further failures are not noted: they would only fill the log."""
    if request is None or getattr(request, "axes_locked_out", False):
        return
    _of_name(Event.SIGN_IN_FAILED, str(credentials.get("username") or ""), request)


def _locked(request: HttpRequest, username: str | None = None, **_signal: Any) -> None:
    """axes tells of every try while the lock lasts; the first is enough."""
    if getattr(request, "axes_failures_since_start", None) is not None:
        _of_name(Event.LOCKED_OUT, username or "", request)


def _of_name(event: Event, username: str, request: HttpRequest) -> None:
    """Nobody has proved to be this person: the entry has no actor."""
    user = User.objects.filter(username__iexact=username).first() if "\x00" not in username else None
    if user is not None:
        _of_person(event, user, request, by_owner=False)
    else:
        shown = username.replace("\x00", "")[:SHOWN_OF_UNKNOWN] + "…"
        note(event, User, name=shown, tenant_id=None, address=request.META.get("REMOTE_ADDR"))


def _factor_added(request: HttpRequest, user: User, authenticator: Any, **_signal: Any) -> None:
    _of_person(Event.FACTOR_ADDED, user, request, factor=authenticator.type)


def _factor_removed(request: HttpRequest, user: User, authenticator: Any, **_signal: Any) -> None:
    _of_person(Event.FACTOR_REMOVED, user, request, factor=authenticator.type)


def _factor_failed(request: HttpRequest, user: User, **_signal: Any) -> None:
    _of_person(Event.FACTOR_FAILED, user, request, by_owner=False)
