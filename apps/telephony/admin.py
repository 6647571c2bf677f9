"""Switches, trunks, numbers, accounts, prompts, music and calendars."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordToggleWidget

from apps.accounts.tenant_admin import TenantForm, own_tenant
from apps.agents.models import Agent
from apps.ivr.selectors import flows_naming
from apps.telephony.config_admin import ConfigAdmin, ConfigInline
from apps.telephony.exchange import ExchangeAdmin
from apps.telephony.file_safe import MusicClassForm, SwitchForm, TrunkFileForm
from apps.telephony.line_exchange import CalendarDayResource, DidResource
from apps.telephony.models import (
    Calendar,
    CalendarDay,
    CalendarSpan,
    Did,
    MusicClass,
    Prompt,
    SipAccount,
    Switch,
    Trunk,
)
from apps.telephony.services import renew_secrets


@admin.register(Switch)
class SwitchAdmin(ConfigAdmin):
    """Made by a superuser: it opens ports on the engine's host. Who only looks is not shown the password."""

    form = SwitchForm
    list_display = ("name", "kind", "event_socket_host", "event_socket_port", "enabled")
    list_filter = ("kind", "enabled")
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("tenant", "name", "kind", "enabled")}),
        (
            _("Engine"),
            {"fields": ("event_socket_host", "event_socket_port", "event_socket_password", "arrival_hosts")},
        ),
        (
            "SIP",
            {
                "fields": (
                    "domain",
                    ("sip_address", "external_address"),
                    ("agents_sip_port", "trunks_sip_port"),
                    ("ws_port", "wss_port"),
                    ("websocket_url", "stun_servers"),
                    ("rtp_first_port", "rtp_last_port"),
                    "codecs",
                    ("max_sessions", "sessions_per_second"),
                )
            },
        ),
        (_("Files"), {"fields": ("sounds_dir", "recordings_dir")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and own_tenant(request) is None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {"fields": [name for name in options["fields"] if name != "event_socket_password"]})
            for title, options in fieldsets
        ]


class TrunkForm(TrunkFileForm):
    def clean(self) -> dict[str, Any]:
        data = super().clean()
        usable = data.get("enabled") and data.get("outbound")
        if self.instance.pk and not usable:
            seats = Agent.objects.filter(outside_trunk=self.instance, enabled=True, device_kind="pstn")
            if names := ", ".join(map(str, seats[:5])):
                raise ValidationError(
                    _("Outside seats are rung through this trunk: %(names)s. Give them another first."),
                    params={"names": names},
                )
        return data


@admin.register(Trunk)
class TrunkAdmin(ConfigAdmin):
    form = TrunkForm
    list_display = ("name", "switch", "gateway", "proxy", "register", "outbound", "max_calls", "enabled")
    list_filter = ("switch", "enabled", "register", "outbound")
    search_fields = ("name", "gateway", "proxy", "caller_number")
    list_select_related = ("switch", "tenant")


@admin.register(Did)
class DidAdmin(ExchangeAdmin, ConfigAdmin):
    resource_classes = (DidResource,)
    list_display = ("number", "switch", "flow", "priority", "note")
    list_filter = ("switch", "flow")
    search_fields = ("number", "note")
    list_select_related = ("switch", "flow", "tenant")


@admin.register(SipAccount)
class SipAccountAdmin(ConfigAdmin):
    """Accounts are made with their agents. The secret can be shown, so that a desk phone can be set up."""

    list_display = ("username", "kind", "switch", "agent", "enabled")
    list_filter = ("kind", "switch", "enabled")
    search_fields = ("username", "agent__name")
    list_select_related = ("switch", "agent", "tenant")
    actions = ("renew_secrets",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        widgets = {"secret": UnfoldAdminPasswordToggleWidget(render_value=True)}
        return super().get_form(request, obj, **{**kwargs, "widgets": widgets})

    @admin.action(description=_("Make new secrets"))
    def renew_secrets(self, request: HttpRequest, queryset: Any) -> None:
        count = renew_secrets(queryset)
        self.message_user(
            request, _("%(count)s new secrets. The phones must be told.") % {"count": count}, messages.SUCCESS
        )


class PromptForm(TenantForm):
    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not (data.get("text_zh", "").strip() or data.get("text_en", "").strip()):
            raise ValidationError(_("Give the text in at least one language."))
        return data


@admin.register(Prompt)
class PromptAdmin(ConfigAdmin):
    form = PromptForm
    list_display = ("code", "text_zh", "text_en", "is_rendered")
    search_fields = ("code", "text_zh", "text_en")
    readonly_fields = ("sound_zh", "sound_en")

    @admin.display(boolean=True, description=_("rendered"))
    def is_rendered(self, prompt: Prompt) -> bool:
        wanted = {lang for lang, text in (("zh", prompt.text_zh), ("en", prompt.text_en)) if text.strip()}
        return wanted <= prompt.sounds().keys()


@admin.register(MusicClass)
class MusicClassAdmin(ConfigAdmin):
    form = MusicClassForm
    list_display = ("name", "directory")
    search_fields = ("name",)


class SpanFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """Hours of one weekday must not overlap."""

    def clean(self) -> None:
        super().clean()
        spans = defaultdict(list)
        for data in _kept(self):
            if data.get("opens") and data.get("closes"):
                spans[data["weekday"]].append((data["opens"], data["closes"]))
        if any(_overlap(items) for items in spans.values()):
            raise ValidationError(_("Opening hours of one day overlap."))


class DayFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """A date is either a holiday or a work day."""

    def clean(self) -> None:
        super().clean()
        days = defaultdict(list)
        for data in _kept(self):
            if data.get("date"):
                days[data["date"]].append((data.get("opens"), data.get("closes")))
        for date, items in days.items():
            holidays = sum(opens is None for opens, _closes in items)
            if holidays > 1 or (holidays and len(items) > 1):
                raise ValidationError(_("%(date)s is given twice as a holiday, or as both."), params={"date": date})
            if not holidays and _overlap(items):
                raise ValidationError(_("Opening hours of one day overlap."))


def _kept(formset: BaseInlineFormSet[Any, Any, Any]) -> list[dict[str, Any]]:
    rows = [form.cleaned_data for form in formset.forms if hasattr(form, "cleaned_data")]
    return [row for row in rows if row and not row.get("DELETE")]


def _overlap(spans: list[tuple[Any, Any]]) -> bool:
    ordered = sorted(spans)
    midnight = ordered[0][0].min if ordered else None
    return any(end > begin or end == midnight for (_b, end), (begin, _e) in itertools.pairwise(ordered))


class CalendarSpanInline(ConfigInline):
    model = CalendarSpan
    formset = SpanFormSet


class CalendarDayInline(ConfigInline):
    model = CalendarDay
    formset = DayFormSet


@admin.register(Calendar)
class CalendarAdmin(ExchangeAdmin, ConfigAdmin):
    """What is taken out and brought in are the special days of the calendars listed."""

    resource_classes = (CalendarDayResource,)
    list_display = ("name", "code", "override")
    search_fields = ("name", "code")
    list_filter = ("override",)
    inlines = (CalendarSpanInline, CalendarDayInline)

    def get_export_queryset(self, request: HttpRequest) -> Any:
        return CalendarDay.objects.filter(calendar__in=super().get_export_queryset(request))

    def still_needed(self, rows: list[Calendar]) -> list[str]:
        return [
            gettext("Flow %(flow)s asks calendar %(name)s") % {"flow": flow.name, "name": calendar.name}
            for calendar in rows
            for flow in flows_naming(calendar.tenant_id, "schedule", calendar.code)
        ]
