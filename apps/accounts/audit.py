"""Who changed which configuration, from where: kept by django-auditlog, with the tenant of the row.

auditlog sees what is saved or deleted row by row, and many-to-many changes. It does not see ``QuerySet.update()`` and
``bulk_create``: a change that must be in the log is saved row by row, or noted as a whole (``audit_events``); a test
knows every other use of those. What is no change of a row is in ``audit_events`` too.
"""

from __future__ import annotations

from typing import Any

from auditlog.context import auditlog_value
from auditlog.middleware import AuditlogMiddleware
from auditlog.registry import auditlog
from django.apps import apps
from django.db import models
from django.http import HttpRequest

from apps.accounts.audit_events import clean_address
from apps.accounts.models import User

SECRETS: dict[str, set[str]] = {
    "accounts.User": {"password"},
    "telephony.Switch": {"event_socket_password"},
    "telephony.Trunk": {"password"},
    "telephony.SipAccount": {"secret"},
    "api.ApiToken": {"secret_hash"},
    "webhooks.Endpoint": {"sealed_secret", "sealed_old_secret"},
}
"""Fields of which the log says that they changed, and nothing else."""
SECRET_WORDS = ("password", "secret", "token", "private_key")
NOISE = {"last_login", "last_used_at", "last_used_from", "changed_at", "password_set_at", "failing_since", "failures"}
"""Fields that change by being used: not a decision of anybody."""
NOT_AUDITED = {
    "accounts.PasswordUsed": "hashes; that a password changed is in the log of its user",
    "telephony.ConfigVersion": "a counter",
    "calls.FactRecord": "facts",
    "ivr.FlowVersion": "never changed: its own log",
    "api.IdempotentRequest": "machinery",
    "api.Command": "its own log",
    "customers.ImportChunk": "machinery",
    "customers.ImportFault": "machinery",
    "customers.ImportJob": "its own log",
    "customers.CallLink": "made with each call",
    "customers.PhoneNumber": "shown with its customer; imports write many",
    "reports.RaisedAlarm": "its own log",
    "reports.ShelvedAlarm": "its own log",
    "webhooks.Delivery": "its own log; holds what callers said",
    "webhooks.Attempt": "part of that log",
}


def audited_models() -> list[type[models.Model]]:
    """Every model of ours that people configure; history written from facts is none."""
    from apps.accounts.history import History

    return [
        model
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        and not issubclass(model, History)
        and model._meta.label not in NOT_AUDITED
    ]


def register() -> None:
    for model in audited_models():
        fields = {field.name for field in model._meta.concrete_fields}
        auditlog.register(
            model,
            exclude_fields=sorted(fields & NOISE),
            mask_fields=sorted(secret_fields(model)),
            mask_callable="apps.accounts.audit.hidden",
            m2m_fields={field.name for field in model._meta.many_to_many},
        )
        model.add_to_class("get_additional_data", tenant_note)


def secret_fields(model: type[models.Model]) -> set[str]:
    """Those listed, and any whose name says so: a new one is hidden until somebody decides otherwise."""
    named = {
        field.name
        for field in model._meta.concrete_fields
        if any(word in field.name for word in SECRET_WORDS) and isinstance(field, models.CharField | models.TextField)
    }
    return SECRETS.get(model._meta.label, set()) | named


def hidden(value: str) -> str:
    return "***" if value else ""


def tenant_note(row: Any) -> dict[str, int | None]:
    """Kept with each entry, so that an administrator sees those of their tenant: the row's own or its parent's."""
    if row._meta.label == "accounts.Tenant":
        return {"tenant": row.pk}
    if hasattr(row, "tenant_id"):
        return {"tenant": row.tenant_id}
    parents = (getattr(row, field.name) for field in row._meta.concrete_fields if isinstance(field, models.ForeignKey))
    return {"tenant": next((parent.tenant_id for parent in parents if hasattr(parent, "tenant_id")), None)}


class AuditedBy(AuditlogMiddleware):  # type: ignore[misc]  # auditlog has no types
    """The address is the connection's own: a header could say anything, and the server reads its proxy's already."""

    @staticmethod
    def _get_remote_addr(request: HttpRequest) -> str | None:
        return clean_address(request.META.get("REMOTE_ADDR"))

    @staticmethod
    def _get_remote_port(request: HttpRequest) -> None:
        """It would be read from a header, and a number too large for its column would fail the request."""


def acts(user: User) -> None:
    """Whoever changes something in the rest of this request: a token's owner is known only after the middleware."""
    known = auditlog_value.get(None)
    if known is not None:
        known["actor"] = user
