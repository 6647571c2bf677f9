"""A tenant and what it decides for itself."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Tenant
from apps.accounts.tenant_admin import own_tenant
from apps.telephony.config_admin import ConfigAdmin


@admin.register(Tenant)
class TenantAdmin(ConfigAdmin):
    list_display = ("name", "code", "language", "time_zone", "mfa_policy")
    list_filter = ("language", "mfa_policy")
    search_fields = ("name", "code")
    fieldsets = (
        (None, {"fields": ("name", "code", ("language", "time_zone"))}),
        (_("Callers"), {"fields": ("vip_priority", "fallback_number", "unknown_did_prompt", "apology_prompt")}),
        (_("Agents"), {"fields": ("missed_limit",)}),
        (
            _("Sign-in"),
            {"fields": ("mfa_policy", ("idle_timeout_min", "session_hours"), "sessions_at_once")},
        ),
        (
            _("Passwords"),
            {"fields": (("password_min_length", "password_history"), "password_max_age_days")},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """Fields that other parts added to the tenant come last, so that none is out of reach."""
        named = {name for _title, options in self.fieldsets for item in options["fields"] for name in _flat(item)}
        rest = [
            field.name
            for field in Tenant._meta.concrete_fields
            if field.editable and not field.primary_key and field.name not in named
        ]
        retention = [name for name in rest if name.startswith("keep_")]
        others = [name for name in rest if name not in retention]
        more = [(_("Retention"), {"fields": retention}), (_("More"), {"fields": others})]
        return [*self.fieldsets, *(item for item in more if item[1]["fields"])]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Tenant]:
        rows = Tenant.objects.all()
        tenant = own_tenant(request)
        return rows if tenant is None else rows.filter(pk=tenant.pk)

    def _is_own(self, request: HttpRequest, obj: models.Model | None) -> bool:
        tenant = own_tenant(request)
        return tenant is None or obj is None or obj.pk == tenant.pk

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and own_tenant(request) is None

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and own_tenant(request) is None


def _flat(item: Any) -> tuple[str, ...]:
    return (item,) if isinstance(item, str) else tuple(item)
