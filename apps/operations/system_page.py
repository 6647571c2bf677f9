"""The system page of the admin: is everything there, what runs, which version. Honest when something is away."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import django
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.accounts.permissions import can
from apps.accounts.tenant_admin import sees_all
from apps.operations import health
from apps.operations.backup.make import version as code_version
from apps.telephony.center_config import current_version

LIBRARIES = ("channels", "celery", "redis", "psycopg", "uvicorn", "django-unfold", "django-allauth", "greenswitch")


@never_cache
def system(request: HttpRequest) -> HttpResponse:
    if not can(request.user, "system.view"):
        raise PermissionDenied
    status, parts = health.report()
    engine = _engine()
    context = {
        **admin.site.each_context(request),
        "title": _("System"),
        "status": status,
        "status_word": _words()[status],
        "parts": [{"name": _part_names().get(part.name, part.name), "part": part} for part in parts],
        "engine": engine,
        "facts": _engine_facts(engine) if engine is not None else [],
        # Switches and alarms may name another tenant's numbers.
        "sees_all": sees_all(request),
        "config_version": current_version(),
        "versions": _versions(),
    }
    return render(request, "operations/system.html", context)


def _words() -> dict[str, str]:
    return {
        health.OK: _("All well"),
        health.DEGRADED: _("Something is missing; people are served"),
        health.DOWN: _("People cannot be served"),
    }


def _part_names() -> dict[str, str]:
    return {
        "database": "PostgreSQL",
        "engine": _("Engine"),
        "redis": "Redis",
        "background": _("Background work (Celery)"),
        "recordings_disk": _("Disk of the recordings"),
    }


def _engine() -> dict[str, Any] | None:
    """What the engine says of itself; None when it does not answer."""
    try:
        return health.ask_engine()
    except (OSError, ValueError):
        return None


def _engine_facts(engine: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """``(name, value, fine)`` in the order in which an operator asks."""
    if engine.get("role") == "standing_by":
        return [(_("Leader, takes calls"), _("no: an engine stands by, and none leads yet"), False)]
    journal, recorder, disk, config = engine["journal"], engine["recorder"], engine["disk"], engine["config"]
    closed = ", ".join(map(str, engine["closed_for"]))
    return [
        (_("Run"), str(engine["run"]), True),
        (_("Leader, takes calls"), _("no: %(why)s") % {"why": closed} if closed else _("yes"), not closed),
        *_standbys(engine),
        (_("Epoch and fact"), f"{engine['epoch']} / {engine['seq']}", True),
        (_("Loop lag, ms"), str(engine["loop_lag_ms"]), engine["loop_lag_ms"] < 200),
        (_("Journal: facts not yet in PostgreSQL"), str(journal["depth"]), not recorder["trouble"]),
        (_("Journal: facts lost"), str(journal["lost"]), not journal["lost"]),
        (_("Recorder lag, s"), str(recorder["lag_s"]), recorder["lag_s"] < 30),
        (_("Recorder"), recorder["trouble"] or _("well"), not recorder["trouble"]),
        (_("Facts that PostgreSQL refused"), str(recorder["refused"]), not recorder["refused"]),
        (_("Disk of the journal, MB free"), str(disk["free_bytes"] >> 20), not disk["low"]),
        (_("Configuration in force"), str(config["version"]), not config["trouble"]),
    ]


def _standbys(engine: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Where there are to be several engines: which of them have every fact."""
    others = len(settings.ENGINE_URL.split(",")) - 1
    if not others:
        return []
    standbys = engine.get("standbys", [])
    return [(_("Engines standing by"), ", ".join(standbys) or _("none of them"), len(standbys) >= others)]


def _versions() -> list[tuple[str, str]]:
    found = [("Trunkline", code_version()), ("Python", platform.python_version()), ("Django", django.__version__)]
    found.append(("PostgreSQL", _postgres_version()))
    for name in LIBRARIES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return [*found, (_("System"), f"{platform.system()} {platform.machine()}, {sys.implementation.name}")]


def _postgres_version() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return str(cursor.fetchone()[0])
    except DatabaseError:
        return "-"
