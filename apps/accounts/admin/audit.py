"""The audit log: who changed what, when and from where. Read only, cut to the tenant."""

from __future__ import annotations

from typing import Any

import auditlog.admin  # noqa: F401  # it registers when it is imported
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.accounts.audit_events import Event
from apps.accounts.models import User
from apps.accounts.permissions import can
from apps.accounts.tenant_admin import ReadOnlyAdmin, own_tenant

SHOWN = 120  # characters of all changes in the list

admin.site.unregister(LogEntry)


ROW_ACTIONS = (
    (LogEntry.Action.CREATE, _("made")),
    (LogEntry.Action.UPDATE, _("changed")),
    (LogEntry.Action.DELETE, _("deleted")),
)
DETAILS = {
    "browser": _("browser"),
    "factor": _("second factor"),
    "call": _("call"),
    "file": _("file"),
    "rows": _("rows"),
    "other": _("the other"),
    "created": _("created"),
    "updated": _("updated"),
    "refused": _("refused"),
    "status": _("status"),
}


class WhatFilter(admin.SimpleListFilter):
    """Changes of rows, and the events beside them."""

    title = _("what")
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((str(int(action)), words) for action, words in ROW_ACTIONS), *Event.choices]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[LogEntry]) -> models.QuerySet[LogEntry]:
        value = self.value() or ""
        if value in Event.values:
            return queryset.filter(additional_data__event=value)
        return queryset.filter(action=value) if value.isdecimal() and len(value) < 3 else queryset


class KindFilter(admin.SimpleListFilter):
    """Only kinds that are in the log."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        used = model_admin.get_queryset(request).order_by().values("content_type").distinct()
        return [(str(kind.pk), str(kind.name)) for kind in ContentType.objects.filter(pk__in=used)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[LogEntry]) -> models.QuerySet[LogEntry]:
        value = self.value()
        return queryset.filter(content_type=value) if value and value.isdecimal() else queryset


class ActorFilter(admin.SimpleListFilter):
    """Only people who are in what the reader may see."""

    title = _("by")
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        actors = model_admin.get_queryset(request).order_by().values("actor").distinct()
        return [(str(user.pk), user.display_name) for user in User.objects.filter(pk__in=actors)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[LogEntry]) -> models.QuerySet[LogEntry]:
        value = self.value()
        return queryset.filter(actor=value) if value and value.isdecimal() else queryset


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "who", "what", "kind", "object_repr", "shown_changes", "remote_addr")
    list_filter = (WhatFilter, KindFilter, ActorFilter, ("timestamp", admin.DateFieldListFilter))
    search_fields = ("object_repr", "changes", "actor__username", "remote_addr")
    date_hierarchy = "timestamp"
    list_select_related = ("actor", "content_type")
    fields = ("timestamp", "who", "remote_addr", "what", "kind", "object_repr", "object_pk", "all_changes")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return can(request.user, "audit.view")

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return can(request.user, "audit.view")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[LogEntry]:
        """By the tenant of the row that was changed (``audit.tenant_note``), whoever changed it."""
        rows: models.QuerySet[LogEntry] = ModelAdmin.get_queryset(self, request)
        tenant = own_tenant(request)
        return rows if tenant is None else rows.filter(additional_data__tenant=tenant.pk)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display

    @admin.display(description=_("by"), ordering="actor")
    def who(self, entry: LogEntry) -> str:
        return str(entry.actor.display_name if entry.actor is not None else _("the system"))

    @admin.display(description=_("what"), ordering="action")
    def what(self, entry: LogEntry) -> str:
        return str(_words(entry))

    @admin.display(description=_("kind"), ordering="content_type")
    def kind(self, entry: LogEntry) -> str:
        return str(entry.content_type.name)

    @admin.display(description=_("changes"))
    def shown_changes(self, entry: LogEntry) -> str:
        text = "; ".join(f"{name}: {change}" for name, change in _lines(entry))
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"

    @admin.display(description=_("changes"))
    def all_changes(self, entry: LogEntry) -> str:
        rows = format_html_join("", "<dt>{}</dt><dd><bdi>{}</bdi></dd>", _lines(entry))
        return format_html("<dl>{}</dl>", rows)


def _words(entry: LogEntry) -> Any:
    """What was done, in the reader's language."""
    event = (entry.additional_data or {}).get("event")
    return dict(Event.choices).get(str(event)) or dict(ROW_ACTIONS).get(entry.action) or event or ""


def _lines(entry: LogEntry) -> list[tuple[str, str]]:
    """``(field, "old → new")`` of an entry; of a many-to-many field what was added or taken away."""
    lines = []
    for name, change in (entry.changes_dict or {}).items():
        shown = _field_name(entry, name)
        if isinstance(change, dict):
            lines.append((shown, f"{change.get('operation', '')} {', '.join(change.get('objects', []))}"))
        else:
            told = change[1:] if entry.action == LogEntry.Action.CREATE else change  # before there was nothing
            lines.append((shown, " → ".join(str(value) for value in told)))
    return lines


def _field_name(entry: LogEntry, name: str) -> str:
    """As the row's own page calls it; details of events by a few words of ours."""
    model = entry.content_type.model_class()
    if entry.action == LogEntry.Action.ACCESS or model is None:
        return str(DETAILS.get(name, name))
    try:
        return str(getattr(model._meta.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:
        return name
