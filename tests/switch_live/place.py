"""Run inside Django (``manage.py shell``): points the story at this test's switch, ports and directories."""

from __future__ import annotations

from django.db import transaction

from apps.agents.models import Agent
from apps.queues.models import Queue
from apps.telephony.models import SipAccount, Switch, Trunk
from apps.telephony.services import config_changed


@transaction.atomic
def place(switch: dict[str, object], trunk: dict[str, object], queues: dict[str, object]) -> None:
    """Values of rows by field name. The story's texts stay; their sounds are shortened by ``prompts render``."""
    Switch.objects.update(kind="freeswitch", **switch)
    Trunk.objects.update(**trunk)
    Queue.objects.update(**queues)
    Agent.objects.filter(device_kind="browser").update(device_kind="sip")
    config_changed()


def keep_open(number: str, kept_open: bool) -> None:
    """An agent whose line stays up between calls, or no longer does."""
    Agent.objects.filter(number=number).update(kept_open=kept_open)
    config_changed()


def outside_seat(number: str, outside_number: str) -> None:
    """An agent at any telephone behind the trunk; without a number at their own desk phone again."""
    with transaction.atomic():
        agent = Agent.objects.get(number=number)
        agent.device_kind, agent.outside_number = "pstn" if outside_number else "sip", outside_number
        agent.outside_trunk = Trunk.objects.get()
        agent.full_clean()
        agent.save()
        config_changed()


def browser_seat(number: str, websocket_url: str) -> None:
    """An agent whose telephone is in the page."""
    with transaction.atomic():
        Switch.objects.update(websocket_url=websocket_url)
        agent = Agent.objects.get(number=number)
        agent.device_kind = "browser"
        agent.full_clean()
        agent.save()
        SipAccount.objects.filter(agent=agent).update(kind="browser")
        config_changed()


def queue_is(code: str, values: dict[str, object]) -> None:
    """A queue set up differently from the story's."""
    with transaction.atomic():
        Queue.objects.filter(code=code).update(**values)
        config_changed()
