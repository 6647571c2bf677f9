"""Queues: how callers are ordered, whom they get, and what is asked of those who serve."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenant_admin import TenantForm
from apps.ivr.selectors import flows_naming
from apps.queues.exchange import QueueResource
from apps.queues.models import Queue, QueueComfort, QueueMembership, QueueRing, QueueSkill
from apps.queues.soundness import Problem
from apps.telephony.config_admin import ConfigAdmin, ConfigInline
from apps.telephony.exchange import ExchangeAdmin


class QueueForm(TenantForm):
    def clean(self) -> dict[str, Any]:
        data = super().clean()
        self._refuse_new_code()
        return data

    def _refuse_new_code(self) -> None:
        if self.instance.pk and "code" in self.changed_data:
            flows = flows_naming(self.instance.tenant_id, "queue", self.initial["code"])
            if flows:
                names = ", ".join(flow.name for flow in flows)
                self.add_error("code", ValidationError(_("Flows name this queue: %(names)s."), params={"names": names}))


class MembershipInline(ConfigInline):
    model = QueueMembership
    fields = ("agent", "tier", "position", "priority")
    autocomplete_fields = ("agent",)
    per_page = 50


class NeedInline(ConfigInline):
    model = QueueSkill
    fields = ("skill", "level", "required")


class RingInline(ConfigInline):
    model = QueueRing
    fields = ("after_s", "skill", "level", "tiers_up_to")


class ComfortInline(ConfigInline):
    model = QueueComfort
    fields = ("prompt", "position")


@admin.register(Queue)
class QueueAdmin(ExchangeAdmin, ConfigAdmin):
    resource_classes = (QueueResource,)
    form = QueueForm
    list_display = (
        "name",
        "code",
        "strategy",
        "priority",
        "max_wait_s",
        "ring_timeout_s",
        "wrap_up_s",
        "overflow_kind",
    )
    list_filter = ("strategy", "overflow_kind", "skills")
    search_fields = ("name", "code", "members__name", "members__number")
    list_select_related = ("tenant",)
    inlines = (MembershipInline, NeedInline, RingInline, ComfortInline)
    fieldsets = (
        (None, {"fields": ("tenant", "name", "code")}),
        (
            _("Order of callers"),
            {
                "fields": (("priority", "ageing_s"), ("max_wait_s", "service_level_s"), "resume_s", "music"),
                "description": _("The higher priority first, then whoever has waited longest."),
            },
        ),
        (
            _("Choice of the agent"),
            {
                "fields": (
                    ("strategy", "ring_step_s"),
                    ("ring_timeout_s", "may_decline"),
                    ("tier_wait_s", "tier_wait_grows", "tier_skip_empty"),
                    ("sticky_days", "sticky_wait_s"),
                ),
            },
        ),
        (_("Talk"), {"fields": (("wrap_up_s", "disposition_required"), "record", ("auto_answer", "whisper_prompt"))}),
        (
            _("Overflow"),
            {
                "fields": (
                    "overflow_kind",
                    ("overflow_queue", "overflow_number", "overflow_flow"),
                    "overflow_prompt",
                    "max_callers",
                    ("no_agents", "no_agents_grace_s"),
                )
            },
        ),
        (
            _("Hours"),
            {
                "fields": (
                    "calendar",
                    "closed_kind",
                    ("closed_queue", "closed_number", "closed_flow"),
                    "closed_prompt",
                    ("closing", "closing_prompt"),
                )
            },
        ),
        (_("While waiting"), {"fields": ("comfort_every_s", ("tell_position", "tell_wait", "tell_every_s"))}),
        (
            _("Call back"),
            {
                "fields": (
                    ("callback", "callback_key", "callback_from_s"),
                    "callback_agent_first",
                    ("callback_attempts", "callback_retry_min", "callback_window_min"),
                )
            },
        ),
    )

    def known_problems(self, obj: Queue) -> frozenset[Problem]:
        """Whoever edits a queue mends it: what was wrong with this one before is a reason too."""
        return frozenset(problem for problem in super().known_problems(obj) if str(obj.pk) not in problem.queues)

    def still_needed(self, rows: list[Queue]) -> list[str]:
        named = [
            gettext("Flow %(flow)s sends callers to %(name)s") % {"flow": flow.name, "name": queue.name}
            for queue in rows
            for flow in flows_naming(queue.tenant_id, "queue", queue.code)
        ]
        return named or super().still_needed(rows)
