"""Queues: refused where nobody could serve them or a caller would go in circles."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from apps.accounts.tenant_admin import TenantForm
from apps.agents.models import Agent, Skill
from apps.ivr.selectors import flows_naming
from apps.queues.exchange import QueueResource
from apps.queues.models import OverflowChoice, Queue
from apps.queues.selectors import can_serve
from apps.telephony.config_admin import ConfigAdmin
from apps.telephony.exchange import ExchangeAdmin


class QueueForm(TenantForm):
    agents = forms.ModelMultipleChoiceField(
        Agent.objects.all(), required=False, label=_("agents"), widget=UnfoldAdminSelect2MultipleWidget
    )
    required_skills = forms.ModelMultipleChoiceField(
        Skill.objects.all(),
        required=False,
        label=_("required skills"),
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("Every agent who serves here must have all of them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["agents"] = self.instance.members.all()
            self.initial["required_skills"] = self.instance.skills.all()

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        agents, skills = data.get("agents"), data.get("required_skills")
        if agents is not None and not agents.filter(enabled=True).exists():
            self.add_error(
                "agents", ValidationError(_("A queue needs at least one enabled agent, or callers wait in vain."))
            )
        elif agents is not None and skills is not None and not can_serve(agents, skills):
            self.add_error("required_skills", ValidationError(_("None of the agents has all of these skills.")))
        self._refuse_new_code()
        flow = data.get("overflow_flow")
        if data.get("overflow_kind") == OverflowChoice.FLOW and flow and flow.published_id is None:
            self.add_error(
                "overflow_flow", ValidationError(_("This flow has never been published: callers would reach nothing."))
            )
        return data

    def _refuse_new_code(self) -> None:
        if self.instance.pk and "code" in self.changed_data:
            flows = flows_naming(self.instance.tenant_id, "queue", self.initial["code"])
            if flows:
                names = ", ".join(flow.name for flow in flows)
                self.add_error("code", ValidationError(_("Flows name this queue: %(names)s."), params={"names": names}))


@admin.register(Queue)
class QueueAdmin(ExchangeAdmin, ConfigAdmin):
    resource_classes = (QueueResource,)
    form = QueueForm
    list_display = ("name", "code", "priority", "max_wait_s", "ring_timeout_s", "wrap_up_s", "overflow_kind")
    search_fields = ("name", "code")
    fieldsets = (
        (None, {"fields": ("tenant", "name", "code", "agents", "required_skills")}),
        (
            _("Waiting"),
            {"fields": (("priority", "max_wait_s"), ("ring_timeout_s", "service_level_s"), "music")},
        ),
        (_("Talk"), {"fields": ("wrap_up_s", "record", ("auto_answer", "whisper_prompt"), "may_decline")}),
        (
            _("Overflow"),
            {"fields": ("overflow_kind", "overflow_queue", "overflow_number", "overflow_flow", "overflow_prompt")},
        ),
    )

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        form.instance.members.set(form.cleaned_data["agents"])
        form.instance.skills.set(form.cleaned_data["required_skills"])
        super().save_related(request, form, formsets, change)

    def still_needed(self, rows: list[Queue]) -> list[str]:
        return [
            gettext("Flow %(flow)s sends callers to %(name)s") % {"flow": flow.name, "name": queue.name}
            for queue in rows
            for flow in flows_naming(queue.tenant_id, "queue", queue.code)
        ]
