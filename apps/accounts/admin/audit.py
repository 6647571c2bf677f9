"""The audit log: who changed what, when and from where. Read only, cut to the tenant."""

from __future__ import annotations

from typing import Any

import auditlog.admin  # noqa: F401  # it registers when it is imported
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.accounts.models import User
from apps.accounts.permissions import can
from apps.accounts.tenant_admin import ReadOnlyAdmin, own_tenant

SHOWN = 120  # characters of all changes in the list

admin.site.unregister(LogEntry)


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
    list_display = ("timestamp", "who", "action", "kind", "object_repr", "shown_changes", "remote_addr")
    list_filter = ("action", KindFilter, ActorFilter, ("timestamp", admin.DateFieldListFilter))
    search_fields = ("object_repr", "changes", "actor__username", "remote_addr")
    date_hierarchy = "timestamp"
    list_select_related = ("actor", "content_type")
    show_full_result_count = False
    fields = ("timestamp", "who", "remote_addr", "action", "kind", "object_repr", "object_pk", "all_changes")

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


def _lines(entry: LogEntry) -> list[tuple[str, str]]:
    """``(field, "old → new")`` of an entry; of a many-to-many field what was added or taken away."""
    lines = []
    for name, change in (entry.changes_dict or {}).items():
        if isinstance(change, dict):
            lines.append((name, f"{change.get('operation', '')} {', '.join(change.get('objects', []))}"))
        else:
            lines.append((name, " → ".join(str(value) for value in change)))
    return lines
