"""How the engine's processes connect to PostgreSQL."""

from __future__ import annotations

from django.db import connections


def use_plain_connections() -> None:
    """A thread with a connection needs no pool, and a pool's own back-off would delay it after an outage."""
    for settings in connections.databases.values():
        settings.get("OPTIONS", {}).pop("pool", None)
        settings["CONN_MAX_AGE"] = None
