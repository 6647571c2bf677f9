"""Base of every admin page: an administrator sees and edits their tenant, a superuser all."""

from __future__ import annotations

import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import InlineForeignKeyField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from apps.accounts.models import Tenant, User
from apps.accounts.permissions import can


def administers(request: HttpRequest) -> bool:
    """Who may use the admin at all."""
    return can(request.user, "settings.edit")


def own_tenant(request: HttpRequest) -> Tenant | None:
    """The tenant one is confined to; None for a superuser."""
    assert isinstance(request.user, User)
    return None if request.user.is_superuser else request.user.tenant


def of_tenant(rows: models.QuerySet[Any], tenant: Tenant | None) -> models.QuerySet[Any]:
    """Rows that a tenant may refer to: its own, and those shared by all (whose tenant is empty)."""
    if tenant is None:
        return rows
    if rows.model is Tenant:
        return rows.filter(pk=tenant.pk)
    field = next((item for item in rows.model._meta.concrete_fields if item.name == "tenant"), None)
    if field is None:
        return rows
    shared = models.Q(tenant=None) if field.null and rows.model is not User else models.Q(pk__in=[])
    return rows.filter(models.Q(tenant=tenant) | shared)


def sees_all(request: HttpRequest) -> bool:
    """A superuser, or the administrator of the only tenant there is: what belongs to nobody is nobody else's then."""
    tenant = own_tenant(request)
    return tenant is None or not Tenant.objects.exclude(pk=tenant.pk).exists()


class OwnChoices(admin.RelatedFieldListFilter):
    """A filter by another row offers those that one may refer to; Django's own offers every tenant's."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        own = of_tenant(field.related_model._default_manager.all(), own_tenant(request))
        ordering = self.field_admin_ordering(field, request, model_admin)
        found: list[tuple[str, Any]] = field.get_choices(
            include_blank=False, ordering=ordering, limit_choices_to=models.Q(pk__in=own.values("pk"))
        )
        return found


class TenantForm(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses references into another tenant, which a superuser's lists would allow."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        tenant = data.get("tenant") or getattr(self.instance, "tenant", None) or self._tenant_of_parent()
        for name, value in list(data.items()):
            values = value if isinstance(value, models.QuerySet) else [value]
            if tenant and any(getattr(item, "tenant", None) not in (None, tenant) for item in values):
                self.add_error(name, ValidationError(_("This belongs to another tenant.")))
        return data

    def _tenant_of_parent(self) -> Tenant | None:
        """Of the row that an inline's rows belong to."""
        fields = (field for field in self.fields.values() if isinstance(field, InlineForeignKeyField))
        parent: Any = next((field.parent_instance for field in fields), None)
        return parent.tenant if getattr(parent, "tenant_id", None) else None


class TenantScopedAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows with a ``tenant``. Roles decide, not Django's per-model permissions."""

    form = TenantForm
    compressed_fields = True
    list_filter_sheet = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return administers(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return administers(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return administers(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return administers(request) and self._is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return administers(request) and self._is_own(request, obj)

    def _is_own(self, request: HttpRequest, obj: models.Model | None) -> bool:
        """A row shared by all tenants is the superuser's."""
        tenant = own_tenant(request)
        return tenant is None or obj is None or getattr(obj, "tenant_id", None) == tenant.pk

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return of_tenant(super().get_queryset(request), own_tenant(request))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [
            (item, OwnChoices) if isinstance(item, str) and self.opts.get_field(item).is_relation else item
            for item in super().get_list_filter(request)
        ]

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        tenant = own_tenant(request)
        if field is not None and tenant is not None:
            field.queryset = of_tenant(field.queryset, tenant)
            if db_field.name == "tenant":
                field.initial, field.empty_label, field.required = tenant, None, True
        return field

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        """Fields that a form declares itself are confined like those of the model."""
        form = super().get_form(request, obj, **kwargs)
        for name, field in form.base_fields.items():
            if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
                # A copy: a declared field is one object for all requests, of all tenants.
                form.base_fields[name] = mine = copy.deepcopy(field)
                mine.queryset = of_tenant(field.queryset, own_tenant(request))
        return form

    def get_list_display(self, request: HttpRequest) -> Any:
        """The tenant is a column only for those who see several."""
        columns = list(super().get_list_display(request))
        return columns if own_tenant(request) or "tenant" in columns else [*columns, "tenant"]


class ReadOnlyAdmin(TenantScopedAdmin):
    """History: looked at, never edited. It grows for ever, so nothing counts it: one goes from page to page."""

    paginator = InfinitePaginator
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """What belongs to nobody (a caller of a number that leads nowhere) may have been meant for any tenant."""
        rows = super().get_queryset(request)
        named = any(field.name == "tenant" for field in self.opts.concrete_fields)
        return rows if not named or sees_all(request) else rows.filter(tenant=own_tenant(request))

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
