"""How a tenant counts, its screens, and the alarms that were."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.page_closing import close_pages
from apps.accounts.tenant_admin import ReadOnlyAdmin, TenantScopedAdmin
from apps.reports.models import RaisedAlarm, ReportSettings, ShelvedAlarm, WallScreen


@admin.register(ReportSettings)
class ReportSettingsAdmin(TenantScopedAdmin):
    list_display = ("tenant", "service_level_formula", "service_level_target", "short_abandon_s", "occupancy")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)


@admin.register(WallScreen)
class WallScreenAdmin(TenantScopedAdmin):
    """The address of a screen is shown once, when it is made or renewed."""

    list_display = ("name", "enabled", "created_at", "created_by")
    list_select_related = ("tenant", "created_by")
    search_fields = ("name",)
    fields = ("tenant", "name", "enabled")
    actions = ("renew",)

    def save_model(self, request: HttpRequest, obj: WallScreen, form: Any, change: bool) -> None:
        token = ""
        if not change:
            obj.created_by = request.user
            token = obj.renew_token()
        super().save_model(request, obj, form, change)
        if token:
            self._show(request, obj, token)
        elif not obj.enabled:
            close_pages(screen_id(obj))

    def delete_model(self, request: HttpRequest, obj: WallScreen) -> None:
        close_pages(screen_id(obj))
        super().delete_model(request, obj)

    @admin.action(description=_("New address (the old one stops working)"))
    def renew(self, request: HttpRequest, queryset: Any) -> None:
        for screen in queryset:
            token = screen.renew_token()
            screen.save(update_fields=["token_digest"])
            close_pages(screen_id(screen))
            self._show(request, screen, token)

    def _show(self, request: HttpRequest, screen: WallScreen, token: str) -> None:
        address = request.build_absolute_uri(reverse("tv", args=[token]))
        text = _("%(name)s: open %(address)s on the screen. This address is shown only now.")
        self.message_user(request, text % {"name": screen.name, "address": address}, messages.WARNING)


def screen_id(screen: WallScreen) -> str:
    """What the open pages of a screen are known by, as a user's are by the user's key."""
    return f"screen-{screen.pk}"


@admin.register(RaisedAlarm)
class RaisedAlarmAdmin(ReadOnlyAdmin):
    list_display = ("raised_at", "kind", "subject", "cleared_at", "acked_by", "note")
    list_filter = ("kind",)
    date_hierarchy = "raised_at"
    list_select_related = ("acked_by", "tenant")


@admin.register(ShelvedAlarm)
class ShelvedAlarmAdmin(ReadOnlyAdmin):
    list_display = ("shelved_at", "kind", "subject", "until", "shelved_by", "reason", "ended_at", "ended_by")
    list_filter = ("kind",)
    date_hierarchy = "shelved_at"
    list_select_related = ("shelved_by", "ended_by", "tenant")
