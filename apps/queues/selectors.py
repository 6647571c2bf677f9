"""Questions about who can serve a queue."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from apps.agents.models import Agent, Skill


def can_serve(agents: QuerySet[Agent], skills: Iterable[Skill]) -> bool:
    """At least one enabled agent has every one of the skills."""
    able = agents.filter(enabled=True)
    for skill in skills:
        able = able.filter(skills=skill)
    return able.exists()
