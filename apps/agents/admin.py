"""Agents, skills, pause reasons and dispositions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.tenant_admin import TenantForm
from apps.agents import services
from apps.agents.exchange import AgentResource, DispositionResource, PauseReasonResource, SkillResource
from apps.agents.models import Agent, AgentSkill, Disposition, PauseReason, Skill
from apps.queues.models import QueueMembership
from apps.telephony.config_admin import ConfigAdmin, ConfigInline
from apps.telephony.exchange import ExchangeAdmin
from apps.telephony.models import Switch


class AgentForm(TenantForm):
    switch = forms.ModelChoiceField(
        Switch.objects.filter(enabled=True),
        required=False,
        label=_("switch"),
        widget=UnfoldAdminSelectWidget,
        help_text=_("Where a new SIP account is made; empty: the first one."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        user, tenant = data.get("user"), data.get("tenant")
        if user and tenant and user.tenant_id != tenant.pk:
            self.add_error("user", ValidationError(_("This belongs to another tenant.")))
        if tenant and not self.errors and services.needs_account(self.instance):
            services.switch_for(tenant.pk, data.get("switch"))
        return data


class AgentSkillInline(ConfigInline):
    model = AgentSkill


class ServedInline(ConfigInline):
    """The queues this agent serves; the same rows as on the queues' pages."""

    model = QueueMembership
    fields = ("queue", "tier", "position", "priority")
    autocomplete_fields = ("queue",)


@admin.register(Agent)
class AgentAdmin(ExchangeAdmin, ConfigAdmin):
    resource_classes = (AgentResource,)
    form = AgentForm
    list_display = ("number", "name", "team", "user", "device_kind", "sip_account", "enabled")
    list_display_links = ("number", "name")
    list_filter = ("enabled", "team", "device_kind", "skills", "queues")
    search_fields = ("number", "name", "user__username")
    list_select_related = ("user", "team", "sip_account", "tenant")
    readonly_fields = ("sip_account",)
    inlines = (AgentSkillInline, ServedInline)
    fieldsets = (
        (None, {"fields": ("tenant", "name", "number", "user", "team", ("enabled", "may_decline"))}),
        (_("Capacity"), {"fields": ("calls_at_once", "chats_at_once", "emails_at_once")}),
        (
            _("Device"),
            {
                "fields": ("device_kind", "switch", "sip_account", ("outside_number", "outside_trunk"), "kept_open"),
                "description": _("A SIP account with a random secret is made for a browser or SIP phone."),
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        services.give_device(obj, form.cleaned_data.get("switch"))

    def delete_model(self, request: HttpRequest, obj: Agent) -> None:
        self.delete_queryset(request, Agent.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Agent]) -> None:
        with transaction.atomic():
            for agent in queryset.select_related("sip_account"):
                services.delete_agent(agent)
            super().delete_queryset(request, Agent.objects.none())


@admin.register(Skill)
class SkillAdmin(ExchangeAdmin, ConfigAdmin):
    resource_classes = (SkillResource,)
    list_display = ("code", "name")
    search_fields = ("code", "name")


@admin.register(PauseReason)
class PauseReasonAdmin(ExchangeAdmin, ConfigAdmin):
    resource_classes = (PauseReasonResource,)
    list_display = ("name", "code", "position", "each_min", "allowed_min")
    search_fields = ("name", "code")


@admin.register(Disposition)
class DispositionAdmin(ExchangeAdmin, ConfigAdmin):
    resource_classes = (DispositionResource,)
    list_display = ("name", "code", "parent", "position")
    list_select_related = ("parent",)
    search_fields = ("name", "code")
