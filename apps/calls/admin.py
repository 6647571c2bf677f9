"""Calls and agents' states: looked at, never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from apps.accounts.tenant_admin import ReadOnlyAdmin, administers
from apps.calls.decisions import names_in, told, trace_of
from apps.calls.models import AgentStateSpan, Call, Callback, CallDisposition, Decision, Leg, Segment
from apps.calls.search import cleaned, fits
from apps.recordings.models import Recording


class HistoryInline(TabularInline):  # type: ignore[misc]
    extra = 0
    can_delete = False
    tab = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Names of agents and queues with the rows; one that was deleted since shows as nothing."""
        references = [field.name for field in self.model._meta.concrete_fields if field.is_relation]
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*references)


class SegmentInline(HistoryInline):
    model = Segment
    fields = ("sequence", "kind", "queue", "agent", "started_at", "ended_at", "duration_ms", "outcome", "detail")


class LegInline(HistoryInline):
    model = Leg
    fields = (
        "id",
        "role",
        "agent",
        "address",
        "started_at",
        "rang_at",
        "answered_at",
        "ended_at",
        "cause",
        "raw_cause",
    )


class DecisionInline(HistoryInline):
    model = Decision
    fields = ("at", "queue", "agent", "rule", "waiting_calls", "why", "ended_at", "outcome", "cause")
    readonly_fields = ("why",)

    @admin.display(description=_("why"))
    def why(self, decision: Decision) -> str:
        trace = trace_of(decision)
        if trace is None:
            return "–"
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in told(trace, names_in([trace]))))


class CallbackInline(HistoryInline):
    model = Callback
    fields = ("booked_at", "queue", "number", "source", "due_at", "tried", "last_try", "ended_at", "outcome")


class DispositionInline(HistoryInline):
    model = CallDisposition
    fields = ("at", "agent", "disposition", "note", "wrap_up_ms")


class RecordingInline(HistoryInline):
    model = Recording
    fields = ("id", "path", "status", "started_at", "duration_ms", "reason")


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at", "caller_number", "did", "outcome", "last_queue", "last_agent", "wait_ms", "talk_ms", "id",
    )  # fmt: skip
    list_filter = ("outcome", "direction", "last_queue", "last_agent")
    search_fields = ("id",)  # shows the field; what it finds is ``search.fits``
    date_hierarchy = "started_at"
    list_select_related = ("last_queue", "last_agent", "tenant")
    inlines = (SegmentInline, LegInline, DecisionInline, CallbackInline, DispositionInline, RecordingInline)
    exclude = ("customer_leg_id", "segment_count", "last_epoch", "last_seq")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Call]:
        return (
            super().get_queryset(request).select_related("tenant", "switch", "first_queue", "last_queue", "last_agent")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Call], search_term: str
    ) -> tuple[models.QuerySet[Call], bool]:
        """As the supervisors' page finds them; the second: nothing is found twice."""
        text = cleaned(search_term)
        return (queryset.filter(fits(text)) if text else queryset), False


@admin.register(Callback)
class CallbackAdmin(ReadOnlyAdmin):
    list_display = ("booked_at", "number", "queue", "source", "due_at", "until_at", "tried", "last_try", "outcome")
    list_filter = ("outcome", "source", "queue")
    search_fields = ("id__exact", "number__contains", "call__id__exact")
    date_hierarchy = "booked_at"
    list_select_related = ("queue", "tenant")
    exclude = ("command",)


@admin.register(AgentStateSpan)
class AgentStateSpanAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "agent", "state", "reason", "ended_at", "call_id")
    list_filter = ("state", "agent")
    list_select_related = ("agent", "tenant")
    exclude = ("epoch", "seq")
