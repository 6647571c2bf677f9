"""Tenants and the people who sign in."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts.models import Role, Team, Tenant, User
from apps.accounts.tenant_admin import TenantScopedAdmin, own_tenant
from apps.live.hub import expel_user
from apps.telephony.config_admin import ConfigAdmin

RIGHTS = {"is_active", "role", "reach", "tenant", "is_superuser", "username"}

admin.site.unregister(Group)  # roles decide here


@admin.register(Tenant)
class TenantAdmin(ConfigAdmin):
    list_display = ("name", "code", "language", "time_zone", "fallback_number")
    search_fields = ("name", "code")

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


@admin.register(Team)
class TeamAdmin(TenantScopedAdmin):
    list_display = ("name",)
    search_fields = ("name",)
    filter_horizontal = ("leaders",)


@admin.register(User)
class UserAdmin(TenantScopedAdmin, DjangoUserAdmin):  # type: ignore[misc, type-arg]
    """Only a superuser can make another; what a person may do is the role."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "last_name", "first_name", "role", "is_active")
    list_filter = ("role", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("last_name", "first_name", "email", "language")}),
        (_("Access"), {"fields": ("tenant", "role", "reach", "is_active")}),
    )
    superuser_fieldsets = (*fieldsets, (_("Installation"), {"fields": ("is_superuser",)}))
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username",
                    "last_name",
                    "first_name",
                    "tenant",
                    "role",
                    "usable_password",
                    "password1",
                    "password2",
                ),
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        if obj is not None and own_tenant(request) is None:
            return self.superuser_fieldsets
        return super().get_fieldsets(request, obj)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        rows = super().get_queryset(request)
        return rows if own_tenant(request) is None else rows.filter(is_superuser=False)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = obj.is_superuser or obj.role == Role.ADMIN
        super().save_model(request, obj, form, change)
        if change and RIGHTS & set(form.changed_data):
            self._close_pages(obj)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self._close_pages(obj)
        super().delete_model(request, obj)

    def _close_pages(self, user: User) -> None:
        """Pages ask who may see them when they open; one that is open must not outlive the right to it."""
        user_id = str(user.pk)
        transaction.on_commit(lambda: expel_user(user_id))
