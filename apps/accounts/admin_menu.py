"""The admin's sidebar, grouped by what people look for. A page that no group names is under the last one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.accounts.permissions import can

_MODELS: list[tuple[Any, list[tuple[str, str]]]] = [
    (
        lambda: _("Floor"),
        [
            ("queues.queue", "groups"),
            ("agents.agent", "support_agent"),
            ("accounts.team", "diversity_3"),
            ("agents.skill", "school"),
            ("agents.pausereason", "coffee"),
            ("agents.disposition", "fact_check"),
        ],
    ),
    (
        lambda: _("Calls in and out"),
        [
            ("telephony.did", "dialpad"),
            ("ivr.flow", "account_tree"),
            ("ivr.flowversion", "history"),
            ("telephony.calendar", "calendar_month"),
            ("telephony.prompt", "record_voice_over"),
            ("telephony.musicclass", "music_note"),
            ("telephony.dialpolicy", "phone_forwarded"),
        ],
    ),
    (
        lambda: _("Switches and lines"),
        [("telephony.switch", "dns"), ("telephony.trunk", "cable"), ("telephony.sipaccount", "deskphone")],
    ),
    (
        lambda: _("Customers"),
        [
            ("customers.customer", "contacts"),
            ("customers.tag", "label"),
            ("customers.importjob", "upload_file"),
            ("customers.numberplan", "tag"),
        ],
    ),
    (
        lambda: _("History"),
        [
            ("calls.call", "call_log"),
            ("calls.agentstatespan", "timeline"),
            ("operations.switchrecord", "receipt_long"),
            ("operations.legalhold", "gavel"),
        ],
    ),
    (
        lambda: _("Integrations"),
        [
            ("api.apitoken", "key"),
            ("webhooks.endpoint", "webhook"),
            ("webhooks.delivery", "outgoing_mail"),
            ("api.command", "terminal"),
        ],
    ),
    (
        lambda: _("People and access"),
        [
            ("accounts.user", "person"),
            ("usersessions.usersession", "devices"),
            ("accounts.tenant", "apartment"),
            ("auditlog.logentry", "policy"),
        ],
    ),
]

# Models of libraries that name themselves badly.
_TITLES = {"usersessions.usersession": lambda: _("Sessions"), "auditlog.logentry": lambda: _("Audit log")}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """As unfold takes it; only what this person may look at."""
    pages = {model._meta.label_lower: model_admin for model, model_admin in admin.site._registry.items()}
    first = [_overview(), *([_system()] if can(request.user, "system.view") else [])]
    groups: list[dict[str, Any]] = [{"title": "", "items": first}]
    for title, names in _MODELS:
        items = [_item(request, pages.pop(name), icon) for name, icon in names if name in pages]
        groups.append({"title": title(), "items": items})
    rest = [_item(request, page, "settings") for _name, page in sorted(pages.items())]
    groups.append({"title": _("More"), "items": rest})
    for group in groups:
        group["items"] = [item for item in group["items"] if item is not None]
    return [{**group, "collapsible": True} for group in groups if group["items"]]


def _overview() -> dict[str, Any]:
    return {"title": _("Overview"), "icon": "dashboard", "link": reverse("admin:index")}


def _system() -> dict[str, Any]:
    return {"title": _("System"), "icon": "monitor_heart", "link": reverse("system")}


def _item(request: HttpRequest, page: Any, icon: str) -> dict[str, Any] | None:
    options = page.model._meta
    if not (page.has_module_permission(request) and page.has_view_permission(request)):
        return None
    try:
        link = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    except NoReverseMatch:
        return None
    title = _TITLES[options.label_lower]() if options.label_lower in _TITLES else options.verbose_name_plural
    return {"title": capfirst(title), "icon": icon, "link": link}
