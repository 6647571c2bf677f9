"""A row of any model for any tenant, made from its fields alone: for tests that walk all models."""

from __future__ import annotations

import datetime
import itertools
import uuid
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.accounts.models import Tenant

_counter = itertools.count(1)


def row_of(model: type[models.Model], tenant: Tenant) -> Any:
    """The tenant's first row of ``model``, made where there is none."""
    found = model._default_manager.filter(**{path_to_tenant(model): tenant.pk}).first()
    if found is not None:
        return found
    values = {field.name: _value(field, tenant) for field in model._meta.concrete_fields if _is_needed(field)}
    if model._meta.label == "auditlog.LogEntry":
        values["additional_data"] = {"tenant": tenant.pk}
    return model._default_manager.create(**values)


def path_to_tenant(model: type[models.Model]) -> str:
    """How a filter of ``model`` names the tenant."""
    names = {field.name for field in model._meta.concrete_fields}
    if model is Tenant:
        return "pk"
    if model._meta.label == "auditlog.LogEntry":
        return "additional_data__tenant"
    return "tenant" if "tenant" in names else "user__tenant"


def _is_needed(field: Any) -> bool:
    if field.name in ("tenant", "user", "encoding"):
        return True
    optional = field.blank and field.empty_strings_allowed
    return not (field.has_default() or field.null or field.auto_created or optional)


def _value(field: Any, tenant: Tenant) -> Any:
    number = next(_counter)
    if isinstance(field, models.ForeignKey):
        if field.related_model is ContentType:
            return ContentType.objects.get_for_model(Tenant)
        return tenant if field.related_model is Tenant else row_of(field.related_model, tenant)
    if field.choices:
        return field.choices[0][0]
    if field.name == "encoding":
        return "utf-8"
    for kind, value in (
        (ArrayField, []),
        (models.UUIDField, uuid.uuid4()),
        (models.DateTimeField, datetime.datetime(2026, 11, 26, tzinfo=datetime.UTC)),
        (models.DateField, datetime.date(2026, 11, 26)),
        (models.JSONField, {}),
        (models.BooleanField, False),
        ((models.IntegerField, models.BigIntegerField), number),
        (models.GenericIPAddressField, "192.0.2.1"),
    ):
        if isinstance(field, kind):
            return value
    return f"r{number}"[: field.max_length or 20]
