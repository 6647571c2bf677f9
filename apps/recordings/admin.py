"""Who heard what: looked at, never edited."""

from __future__ import annotations

from django.contrib import admin

from apps.accounts.tenant_admin import ReadOnlyAdmin
from apps.recordings.models import RecordingAccess


@admin.register(RecordingAccess)
class RecordingAccessAdmin(ReadOnlyAdmin):
    list_display = ("at", "username", "way", "recording", "address")
    list_filter = ("way",)
    search_fields = ("username", "recording__call__pk", "recording__path")
    date_hierarchy = "at"
    list_select_related = ("recording", "tenant")
