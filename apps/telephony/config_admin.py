"""Base of admin pages whose rows the engine works with: saving tells it so."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.http import HttpRequest
from unfold.admin import TabularInline

from apps.accounts.tenant_admin import TenantForm, TenantScopedAdmin, administers, of_tenant, own_tenant
from apps.telephony.services import config_changed


class ConfigAdmin(TenantScopedAdmin):
    """Every change of a page is one transaction and one new configuration version."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        config_changed()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        config_changed()

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            super().delete_queryset(request, queryset)
            config_changed()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Deletion is refused as well where it would leave a configuration that cannot work."""
        deleted, count, permissions, protected = super().get_deleted_objects(objs, request)
        return deleted, count, permissions, [*protected, *self.still_needed(list(objs))]

    def still_needed(self, rows: list[Any]) -> list[str]:
        """Why these rows cannot go; one text a reason."""
        return []


class ConfigInline(TabularInline):  # type: ignore[misc]
    """Rows that belong to the one being edited, with the same rights."""

    form = TenantForm
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request)

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request)

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.queryset = of_tenant(field.queryset, own_tenant(request))
        return field
