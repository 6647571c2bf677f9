"""Webhooks and what was sent to them."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.accounts.models import User
from apps.accounts.row_buttons import RowButtons
from apps.accounts.tenant_admin import ReadOnlyAdmin, TenantForm, administers
from apps.webhooks import services, signing
from apps.webhooks.models import Attempt, Delivery, DeliveryStatus, Endpoint, EventType
from apps.webhooks.trouble import troubled

KEY_WORDS = _("The key that messages are signed with (Standard Webhooks): put it into the program that receives them.")


class EndpointForm(TenantForm):
    events = forms.MultipleChoiceField(
        label=_("events"),
        choices=EventType.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=Endpoint._meta.get_field("events").help_text,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        tenant = data.get("tenant") or getattr(self.instance, "tenant", None)
        others = Endpoint.objects.filter(tenant=tenant).exclude(pk=self.instance.pk)
        if tenant is not None and others.count() >= services.MOST_ENDPOINTS:
            raise ValidationError(_("At most %(most)s webhooks."), params={"most": services.MOST_ENDPOINTS})
        return data


class TroubleFilter(admin.SimpleListFilter):
    title = _("in trouble")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Endpoint]) -> models.QuerySet[Endpoint]:
        return queryset.filter(pk__in=troubled(timezone.now())) if self.value() == "yes" else queryset


@admin.register(Endpoint)
class EndpointAdmin(RowButtons):
    form = EndpointForm
    list_display = ("url", "description", "active", "shown_events", "failing_since", "failures", "disabled_at")
    list_filter = ("active", TroubleFilter)
    search_fields = ("url", "description")
    list_select_related = ("tenant",)
    edited = ("tenant", "url", "description", "events", "active")
    known = ("made_by", "created_at", "failing_since", "failures", "disabled_at", "disabled_reason", "old_secret_until")
    row_buttons = ("ping", "rotate")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.edited if obj is None else (*self.edited, *self.known)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("tenant", *self.known)

    @admin.display(description=_("events"))
    def shown_events(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.events)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        if not change:
            assert isinstance(request.user, User)
            obj.made_by = request.user
        if obj.active and "active" in form.changed_data:
            services.forgive(obj)
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Endpoint, post_url_continue: str | None = None) -> HttpResponse:
        return self.shown_once(request, obj, obj.secret, KEY_WORDS)

    @admin.action(description=_("Send a test message"))
    def ping(self, request: HttpRequest, row: Endpoint) -> None:
        last = services.ping(row).tries.last()
        assert last is not None
        if last.status is not None and 200 <= last.status < 300:
            taken = {"status": last.status, "ms": last.latency_ms}
            self.say(request, _("It was taken: %(status)s after %(ms)s ms.") % taken)
        else:
            self.say(request, _("It was not taken: %s") % (last.error or last.status), messages.ERROR)

    @admin.action(description=_("Make a new key (for a day the old one signs as well)"))
    def rotate(self, request: HttpRequest, row: Endpoint) -> HttpResponse:
        signing.rotate(row, timezone.now())
        return self.shown_once(request, row, row.secret, KEY_WORDS)


class AttemptInline(TabularInline):
    model = Attempt
    fields = readonly_fields = ("at", "status", "latency_ms", "error", "request_excerpt", "response_excerpt")
    extra = 0
    max_num = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request)


@admin.register(Delivery)
class DeliveryAdmin(RowButtons, ReadOnlyAdmin):
    """The outbox while a message is pending, the log after."""

    paginator = Paginator  # counted: after a failure of hours all that were given up are sent again at once
    list_display = ("created_at", "endpoint", "event", "status", "attempts", "due_at", "finished_at", "message_id")
    list_filter = ("status", "event", ("endpoint", admin.RelatedOnlyFieldListFilter))
    search_fields = ("message_id", "stream", "endpoint__url")
    search_help_text = _("Id of the message, call:<id> or agent:<id>, or the webhook's address.")
    date_hierarchy = "created_at"
    list_select_related = ("endpoint", "tenant")
    fields = (
        "message_id", "endpoint", "event", "stream", "status", "attempts", "created_at", "due_at", "give_up_at",
        "finished_at", "shown_payload",
    )  # fmt: skip
    readonly_fields = ("shown_payload",)
    inlines = (AttemptInline,)
    actions = ("redeliver_chosen",)
    row_buttons = ("redeliver",)

    @admin.display(description=_("content"))
    def shown_payload(self, delivery: Delivery) -> str:
        return format_html(
            '<pre class="whitespace-pre-wrap">{}</pre>', json.dumps(delivery.payload, ensure_ascii=False, indent=2)
        )

    def offers(self, name: str, row: Any) -> bool:
        return bool(row.status != DeliveryStatus.PENDING and row.endpoint.active)

    @admin.action(description=_("Send again"))
    def redeliver(self, request: HttpRequest, row: Delivery) -> None:
        try:
            services.redeliver(row)
        except services.Refused as refused:
            self.say(request, services.REFUSALS[refused.code], messages.WARNING)
        else:
            self.say(request, _("It will be sent again, with the same id."))

    @admin.action(description=_("Send again"))
    def redeliver_chosen(self, request: HttpRequest, queryset: models.QuerySet[Delivery]) -> None:
        """Those that can be; a message that is still tried is left alone."""
        done = 0
        for row in queryset.order_by("pk"):
            try:
                services.redeliver(row)
            except services.Refused:
                continue
            done += 1
        self.say(request, ngettext("%d message will be sent again.", "%d messages will be sent again.", done) % done)
