"""``manage.py load_story``: fill the database with the demo's company. May be repeated."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.demo.story import load_story


class Command(BaseCommand):
    help = "Load the demo's company: queues, agents, customers, numbers and the hotline's menu."

    def handle(self, *args: Any, **options: Any) -> None:
        for login in load_story():
            self.stdout.write(f"{login.role:11} {login.username:10} {login.password}  {login.name}")
