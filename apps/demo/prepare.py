"""Fills the demo's database: tables, the story, prompts, and where its switch is. Run inside Django."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from apps.agents.models import Agent
from apps.customers.models import PhoneNumber
from apps.customers.numbers import shown
from apps.demo.surroundings import free_port
from apps.demo.voices import FOLDER as VOICES
from apps.telephony.models import Did, Switch, Trunk
from apps.telephony.prompts.library import Library, place_sounds
from apps.telephony.prompts.phrases import phrase_names
from apps.telephony.prompts.rendering import render_prompts
from apps.telephony.prompts.speech import SpeechUnavailable
from apps.telephony.services import config_changed
from apps.webhooks.models import Endpoint, EventType


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPlace:
    """How the engine reaches the switch, and the switch the engine. Directories are on the switch's host."""

    host: str
    port: int
    password: str
    arrival: str  # host:port
    sounds_dir: str | None = None
    recordings_dir: str | None = None


def the_switch() -> Switch:
    return Switch.objects.order_by("pk")[0]


@transaction.atomic
def place_switch(place: SwitchPlace) -> None:
    """Point the story's switch at ``place``; the engine hears of it when something changed."""
    switch = the_switch()
    values = {
        "event_socket_host": place.host,
        "event_socket_port": place.port,
        "event_socket_password": place.password,
        "arrival_hosts": place.arrival,
    }
    if place.sounds_dir is not None:
        values["sounds_dir"] = place.sounds_dir
    if place.recordings_dir is not None:
        values["recordings_dir"] = place.recordings_dir
    if any(getattr(switch, name) != value for name, value in values.items()):
        Switch.objects.filter(pk=switch.pk).update(**values)
        config_changed()


def simulator_options(place: SwitchPlace, *, seed: int) -> dict[str, object]:
    """The simulator's options for the story: its numbers, its phones, its trunks. Nobody calls by himself yet."""
    switch = the_switch()
    phones = Agent.objects.filter(enabled=True, sip_account__switch=switch).values_list(
        "sip_account__username", flat=True
    )
    return {
        "port": place.port,
        "control-port": free_port(),  # to place a call by hand; see apps/switches/simulator/control.py
        "password": place.password,
        "sockets": place.arrival,
        "domain": switch.domain,
        "seed": seed,
        "callers-at-most": 25,
        "did": list(Did.objects.filter(switch=switch).values_list("number", flat=True)),
        "gateway": list(Trunk.objects.filter(switch=switch, enabled=True).values_list("gateway", flat=True)),
        "number": _numbers_of_customers(switch),
        "keys": CALLERS_PRESS,
        "patience-s": "25-150",
        "talk-s": "12-55",
        # A phone rings until its agent says "answer" on the page.
        "agent": [f"{phone}=told" for phone in phones],
        "sounds-dir": place.sounds_dir,
        "recordings-dir": place.recordings_dir,
        "voices-dir": str(VOICES),
    }


def _numbers_of_customers(switch: Switch) -> list[str]:
    """As the story's carrier sends them: national, with the leading 0 of a landline."""
    numbers = PhoneNumber.objects.filter(tenant__in=Did.objects.filter(switch=switch).values("tenant"))
    return [shown(number).replace(" ", "") for number in numbers.order_by("pk").values_list("number", flat=True)[:60]]


# One digit for each menu: the language (1 Chinese, 2 English), then the department. Some press a wrong key first.
CALLERS_PRESS = "11,12,13,11,12,13,21,22,23,192"


def left_to_visitors() -> list[Agent]:
    """Every third agent is left to people at the console, so that each queue has some of both."""
    return _agents()[2::3]


def simulated() -> list[Agent]:
    visitors = {agent.pk for agent in left_to_visitors()}
    return [agent for agent in _agents() if agent.pk not in visitors]


def _agents() -> list[Agent]:
    return list(Agent.objects.filter(enabled=True, user__isnull=False).select_related("user").order_by("number"))


@dataclass(frozen=True, slots=True)
class Sounds:
    spoken: int
    missing: list[str]
    trouble: str


def place_prompts(target: Path) -> Sounds:
    """Give every prompt its file and copy all to the switch's directory. Without a voice, what is shipped must do."""
    spoken, trouble = 0, ""
    try:
        spoken = render_prompts().spoken
    except SpeechUnavailable as error:
        trouble = str(error)
    return Sounds(spoken, place_sounds(Library.default(), target, phrase_names()), trouble)


def recordings_dir() -> Path:
    """Where the switch writes and the web reads: one directory a switch."""
    return Path(settings.RECORDINGS_DIR) / the_switch().name


CRM = "CRM: 来电与录音 · calls and recordings"
CRM_EVENTS = [EventType.CALL_ARRIVED, EventType.CALL_ENDED, EventType.CALL_WRAPPED_UP, EventType.RECORDING_READY]


def place_crm(url: str) -> str:
    """The webhook of the company's own program, which is at ``url`` this time; the key that it is signed with."""
    tenant = _agents()[0].tenant
    row, _made = Endpoint.objects.update_or_create(
        tenant=tenant, description=CRM, defaults={"url": url, "events": list(CRM_EVENTS), "active": True}
    )
    return row.secret
