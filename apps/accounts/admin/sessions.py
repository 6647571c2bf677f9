"""Who is signed in now, from where; and allauth's own pages taken out of the admin."""

from __future__ import annotations

from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401  # they register when they are imported
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.accounts.audit_events import Event, note
from apps.accounts.page_closing import close_pages
from apps.accounts.permissions import can
from apps.accounts.tenant_admin import ReadOnlyAdmin, own_tenant

for theirs in (EmailAddress, Authenticator, UserSession):
    if admin.site.is_registered(theirs):
        admin.site.unregister(theirs)


@admin.register(UserSession)
class SessionAdmin(ReadOnlyAdmin):
    paginator, show_full_result_count = Paginator, True  # they end by themselves: few enough to be counted
    list_display = ("user", "created_at", "last_seen_at", "ip", "user_agent")
    list_filter = (("last_seen_at", admin.DateFieldListFilter),)
    search_fields = ("user__username", "user__first_name", "user__last_name", "ip")
    list_select_related = ("user",)
    ordering = ("-last_seen_at",)
    fields = ("user", "created_at", "last_seen_at", "ip", "user_agent")
    actions = ("end",)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return can(request.user, "users.edit")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[UserSession]:
        rows: models.QuerySet[UserSession] = ModelAdmin.get_queryset(self, request)
        tenant = own_tenant(request)
        return rows if tenant is None else rows.filter(user__tenant=tenant, user__is_superuser=False)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display

    @admin.action(description=_("End these sessions"))
    def end(self, request: HttpRequest, queryset: models.QuerySet[UserSession]) -> None:
        """Pages that are open find their session gone within moments."""
        for row in queryset.select_related("user"):
            row.end()
            close_pages(str(row.user.pk))
            note(Event.SESSION_ENDED, row.user, tenant_id=row.user.tenant_id, browser=row.user_agent)
        self.message_user(request, _("Ended."), messages.SUCCESS)
