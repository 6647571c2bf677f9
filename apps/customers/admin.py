"""Customers."""

from __future__ import annotations

from django.contrib import admin

from apps.accounts.tenant_admin import TenantScopedAdmin
from apps.customers.models import Customer


@admin.register(Customer)
class CustomerAdmin(TenantScopedAdmin):
    list_display = ("name", "number", "company", "language", "tags")
    list_filter = ("language",)
    search_fields = ("name", "number", "company")
