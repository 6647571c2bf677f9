"""Tenants, people, teams; and the admin's own doors led to the sign-in pages, where the second factor is asked."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from apps.accounts.admin import audit, people, sessions, tenants

__all__ = ["audit", "people", "sessions", "tenants"]


def _own_password(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    return redirect("account_change_password")


admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.password_change = _own_password  # type: ignore[method-assign, assignment]
