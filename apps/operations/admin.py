"""Legal holds, placed and released but never deleted, and what came from switches' own records."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.tenant_admin import ReadOnlyAdmin, TenantForm, TenantScopedAdmin
from apps.calls.models import Call
from apps.operations.models import LegalHold, SwitchRecord

admin.site.index_template = "operations/overview.html"


class LegalHoldForm(TenantForm):
    def clean(self) -> dict[str, Any]:
        data = super().clean()
        tenant = data.get("tenant") or getattr(self.instance, "tenant", None)
        call_id = (data.get("call_id") or "").strip()
        if call_id and not Call.objects.filter(pk=call_id, tenant=tenant).exists():
            raise ValidationError({"call_id": _("There is no such call.")})
        # The constraint's condition is on a field that the form has not, so Django does not check it here.
        if call_id and LegalHold.objects.filter(call_id=call_id, released_at=None).exists():
            raise ValidationError({"call_id": _("This call is on hold already.")})
        return {**data, "call_id": call_id}


@admin.register(LegalHold)
class LegalHoldAdmin(TenantScopedAdmin):
    form = LegalHoldForm
    list_display = ("call_id", "reason", "placed_by", "placed_at", "released_by", "released_at")
    list_filter = (("released_at", admin.EmptyFieldListFilter),)
    search_fields = ("call_id", "reason")
    readonly_fields = ("placed_by", "placed_at", "released_by", "released_at")
    formfield_overrides = {models.TextField: {"widget": forms.TextInput(attrs={"class": "vTextField"})}}
    actions = ("release",)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Placed and released, never altered: it is evidence itself."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: LegalHold, form: Any, change: bool) -> None:
        obj.placed_by_id = request.user.pk
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Release"))
    def release(self, request: HttpRequest, holds: models.QuerySet[LegalHold]) -> None:
        """One by one: the audit log does not see an update of many."""
        standing = list(holds.filter(released_at=None))
        for hold in standing:
            hold.released_at, hold.released_by_id = timezone.now(), request.user.pk
            hold.save(update_fields=["released_at", "released_by"])
        count = len(standing)
        text = ngettext("%(count)d hold released.", "%(count)d holds released.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)


@admin.register(SwitchRecord)
class SwitchRecordAdmin(ReadOnlyAdmin):
    list_display = ("uuid", "call_id", "fate", "started_at", "ended_at", "cause", "switch")
    list_filter = ("fate",)
    search_fields = ("uuid", "call_id")
