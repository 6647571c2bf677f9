"""The admin's pages for what may be dialled."""

from __future__ import annotations

from django.contrib import admin

from apps.telephony.config_admin import ConfigAdmin
from apps.telephony.models import DialPolicy, DialRule


@admin.register(DialPolicy)
class DialPolicyAdmin(ConfigAdmin):
    list_display = ("tenant", "country_code", "national", "international", "ring_timeout_s", "record", "wrap_up_s")
    list_select_related = ("tenant",)


@admin.register(DialRule)
class DialRuleAdmin(ConfigAdmin):
    list_display = ("prefix", "whole", "allow", "kind", "note")
    list_filter = ("kind", "allow")
    search_fields = ("prefix", "note")
    list_select_related = ("tenant",)
