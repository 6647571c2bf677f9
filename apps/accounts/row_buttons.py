"""Buttons above a row's page in the admin, and the page that shows a secret once.

Each button is a form of its own that posts, with its CSRF token: what changes something is never a link.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.accounts.tenant_admin import TenantScopedAdmin, administers


class RowButtons(TenantScopedAdmin):
    """``row_buttons`` names methods ``(request, row) -> HttpResponse | None`` that carry ``admin.action``'s words."""

    row_buttons: tuple[str, ...] = ()
    change_form_outer_before_template = "accounts/row_buttons.html"

    def offers(self, name: str, row: Any) -> bool:
        """Whether this button makes sense for this row now."""
        return True

    def get_urls(self) -> list[URLPattern]:
        options = self.model._meta
        mine = path(
            "<path:object_id>/press/<str:name>/",
            self.admin_site.admin_view(self.press),
            name=f"{options.app_label}_{options.model_name}_press",
        )
        return [mine, *super().get_urls()]

    def press(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Another tenant's row is not found, as on every page of the admin."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id) if administers(request) else None
        if row is None or name not in self.row_buttons or not self.offers(name, row):
            raise Http404
        reply: HttpResponse | None = getattr(self, name)(request, row)
        return reply if reply is not None else redirect(_address(row, "change"))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        shown = [
            {"address": _address(row, "press", name), "words": getattr(self, name).short_description}
            for name in self.row_buttons
            if row is not None and administers(request) and self.offers(name, row)
        ]
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "row_buttons": shown})

    def shown_once(self, request: HttpRequest, row: models.Model, secret: str, words: Any) -> HttpResponse:
        """The answer that holds a secret. It is in no message, cookie or log, and not there when it is loaded again."""
        context = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "secret": secret,
            "words": words,
            "onwards": _address(row, "change"),
        }
        response = TemplateResponse(request, "accounts/shown_once.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def say(self, request: HttpRequest, text: Any, level: int = messages.SUCCESS) -> None:
        self.message_user(request, text, level)


def _address(row: Any, what: str, *more: str) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{what}", args=[row.pk, *more])
