"""Flows as JSON, until the editor comes; publishing checks them."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.accounts.models import User
from apps.accounts.tenant_admin import ReadOnlyAdmin
from apps.ivr.models import Flow, FlowVersion
from apps.ivr.services import FlowRefused, lint_draft, publish
from apps.telephony.config_admin import ConfigAdmin


class StorableJson(json.JSONDecoder):
    """What Python takes for JSON and PostgreSQL does not (NaN, NUL, half a character, a thousand brackets) is none."""

    def __init__(self) -> None:
        super().__init__(parse_constant=self._refuse)

    def decode(self, text: str, *_args: Any) -> Any:
        try:
            found = super().decode(text)
            stored = json.dumps(found, ensure_ascii=False, allow_nan=False)
            stored.encode()
        except (RecursionError, ValueError) as error:  # a ValueError as well: 1e999, half a surrogate pair
            raise json.JSONDecodeError(str(error), text, 0) from error
        if "\\u0000" in stored:
            raise json.JSONDecodeError("NUL", text, 0)
        return found

    @staticmethod
    def _refuse(constant: str) -> None:
        raise json.JSONDecodeError(constant, constant, 0)


@admin.register(Flow)
class FlowAdmin(ConfigAdmin):
    list_display = ("name", "code", "published")
    search_fields = ("name", "code")
    readonly_fields = ("published", "problems")
    fields = ("tenant", "name", "code", "draft", "published", "problems")
    actions = ("publish_drafts",)
    formfield_overrides = {
        models.JSONField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 40}), "decoder": StorableJson}
    }

    @admin.display(description=_("problems of the draft"))
    def problems(self, flow: Flow) -> str:
        if flow.pk is None:
            return "-"
        found = list(lint_draft(flow))
        return format_html("<pre>{}</pre>", "\n".join(found)) if found else "-"

    @admin.action(description=_("Publish the draft"))
    def publish_drafts(self, request: HttpRequest, queryset: models.QuerySet[Flow]) -> None:
        author = request.user if isinstance(request.user, User) else None
        for flow in queryset:
            try:
                version = publish(flow, author=author)
            except FlowRefused as refused:
                text = _("%(flow)s is not published: %(problems)s")
                self.message_user(
                    request, text % {"flow": flow, "problems": "; ".join(refused.messages)}, messages.ERROR
                )
            else:
                text = _("%(flow)s: version %(number)s is in force.")
                self.message_user(request, text % {"flow": flow, "number": version.number}, messages.SUCCESS)


@admin.register(FlowVersion)
class FlowVersionAdmin(ReadOnlyAdmin):
    list_display = ("flow", "number", "author", "comment", "created_at")
    list_filter = ("flow",)
    list_select_related = ("flow", "author", "tenant")
    fields = ("flow", "number", "sha256", "author", "comment", "created_at", "pretty")

    @admin.display(description=_("document"))
    def pretty(self, version: FlowVersion) -> Any:
        return format_html("<pre>{}</pre>", json.dumps(version.document, ensure_ascii=False, indent=1))
