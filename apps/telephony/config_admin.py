"""Base of admin pages whose rows the engine works with: saving tells it so, and what cannot work is refused."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models, transaction
from django.http import HttpRequest
from unfold.admin import TabularInline

from apps.accounts.models import Tenant
from apps.accounts.tenant_admin import TenantForm, TenantScopedAdmin, administers, of_tenant, own_tenant
from apps.queues.refusing import Unsound, problems_of, reasons_against, refuse_new
from apps.queues.soundness import Problem
from apps.telephony.services import config_changed


class Refused(forms.ModelForm):  # type: ignore[type-arg]
    """Mixed into the page's form when what it says was tried and cannot work."""

    refused_for: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for reason in self.refused_for:
            self.add_error(None, reason)
        return data


class ConfigAdmin(TenantScopedAdmin):
    """Every change of a page is one transaction and one new configuration version.

    What was saved is looked at as a whole, inlines included; where it cannot work all of it is undone, and the page is
    shown again with the reasons.
    """

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Unsound as refused:
            request.refused_for = tuple(refused.messages)  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        refused_for = getattr(request, "refused_for", ())
        return type(form.__name__, (Refused, form), {"refused_for": refused_for}) if refused_for else form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        request.problems_before = self.known_problems(obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # Here others who change something wait for us, or we for them: what is looked at next has both changes.
        config_changed()
        tenant_id = tenant_of(form.instance)
        if tenant_id is not None:
            refuse_new(request.problems_before, tenant_id)  # type: ignore[attr-defined]

    def known_problems(self, obj: Any) -> frozenset[Problem]:
        """Those there were before the change; they are no reason to refuse it."""
        tenant_id = tenant_of(obj)
        return frozenset() if tenant_id is None else problems_of(tenant_id)

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
        found: list[str] = []
        for tenant_id in {tenant_of(row) for row in rows}:
            # By key: deleting an object itself takes its key from it, and the page still needs that.
            mine = self.model._default_manager.filter(pk__in=[row.pk for row in rows if tenant_of(row) == tenant_id])
            if tenant_id is not None:
                found += reasons_against(tenant_id, mine.delete)
        return found


def tenant_of(row: Any) -> int | None:
    """Whose configuration a row is part of; None for one that all tenants share."""
    tenant_id: int | None = row.pk if isinstance(row, Tenant) else getattr(row, "tenant_id", None)
    return tenant_id


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
