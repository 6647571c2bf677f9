"""The demo's company as rows, from ``fixtures/story``. Loading it again brings it back to what the files say."""

from __future__ import annotations

import datetime
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditlog.context import disable_auditlog
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.accounts.models import Reach, Role, Team, Tenant, User
from apps.agents.models import Agent, AgentSkill, DeviceChoice, Disposition, PauseReason, Skill
from apps.agents.services import give_device
from apps.demo.story_customers import load_customers
from apps.ivr.models import Flow
from apps.ivr.services import publish
from apps.queues.models import Queue, QueueComfort, QueueMembership, QueueRing, QueueSkill
from apps.telephony.models import (
    Calendar,
    CalendarDay,
    CalendarSpan,
    DialPolicy,
    DialRule,
    Did,
    MusicClass,
    Prompt,
    Switch,
    Trunk,
)
from apps.telephony.services import config_changed

STORY_DIR = Path(settings.BASE_DIR) / "fixtures" / "story"

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Login:
    """For whoever prints them."""

    username: str
    password: str
    name: str
    role: str


def read(name: str) -> Data:
    with (STORY_DIR / name).open("rb") as file:
        return tomllib.load(file)


def load_story() -> list[Login]:
    """All rows of the story, made or brought up to date, and the flow published. Returns who can sign in."""
    with transaction.atomic(), disable_auditlog():
        return _load()


def _load() -> list[Login]:
    story = read("company.toml")
    tenant, _made = Tenant.objects.update_or_create(code=story["tenant"]["code"], defaults=story["tenant"])
    switch, _made = Switch.objects.update_or_create(name=story["switch"]["name"], defaults=story["switch"])
    _load_lists(tenant, story)
    _load_calendar(tenant, story["calendar"])
    password = make_password(story["password"])
    logins = [_load_person(tenant, person, password, story["password"]) for person in _people(story)]
    _load_teams(tenant, story)
    for data in story["agents"]:
        _load_agent(tenant, switch, data)
    _load_queues(tenant, story)
    _load_lines(tenant, switch, story, _load_flow(tenant))
    load_customers(tenant, read("customers.toml")["customers"])
    config_changed()
    return logins


def _load_lists(tenant: Tenant, story: Data) -> None:
    for music in story["music"]:
        MusicClass.objects.update_or_create(name=music["name"], defaults=music)
    for model, name in (
        (Skill, "skills"),
        (Disposition, "dispositions"),
        (PauseReason, "pause_reasons"),
        (Prompt, "prompts"),
    ):
        ordered = model in (Disposition, PauseReason)
        for position, data in enumerate(story[name]):
            defaults = {**data, "position": position} if ordered else dict(data)
            if parent := defaults.pop("parent", None):
                defaults["parent"] = Disposition.objects.get(tenant=tenant, code=parent)
            model._default_manager.update_or_create(tenant=tenant, code=data["code"], defaults=defaults)


def _load_calendar(tenant: Tenant, data: Data) -> None:
    calendar, _made = Calendar.objects.update_or_create(
        tenant=tenant, code=data["code"], defaults={"name": data["name"], "override": data["override"]}
    )
    calendar.spans.all().delete()
    calendar.days.all().delete()
    week = [(weekday, *span) for weekday in data["weekdays"] for span in data["spans"]] + data["weekend"]
    for weekday, opens, closes in week:
        CalendarSpan.objects.create(calendar=calendar, weekday=weekday, opens=opens, closes=closes)
    for day in data["days"]:
        CalendarDay.objects.create(
            calendar=calendar,
            date=datetime.date.fromisoformat(day["date"]),
            name=day["name"],
            opens=day.get("opens"),
            closes=day.get("closes"),
        )


def _people(story: Data) -> list[Data]:
    agents = [{"username": data["username"], "name": data["name"], "role": Role.AGENT} for data in story["agents"]]
    return [*story["people"], *agents]


def _load_person(tenant: Tenant, data: Data, password_hash: str, password: str) -> Login:
    first, last = _names(data["name"])
    User.objects.update_or_create(
        username=data["username"],
        defaults={
            "tenant": tenant,
            "role": data["role"],
            "reach": data.get("reach", Reach.TENANT),
            "must_change_password": False,
            "first_name": first,
            "last_name": last,
            "language": data.get("language", ""),
            "password": password_hash,
            "is_staff": data["role"] == Role.ADMIN,
            "is_active": True,
        },
    )
    return Login(username=data["username"], password=password, name=data["name"], role=data["role"])


def _names(name: str) -> tuple[str, str]:
    """Given and family name: 王芳 is 芳 of the Wangs."""
    if " " in name:
        first, last = name.split(" ", 1)
        return first, last
    return name[1:], name[0]


def _load_teams(tenant: Tenant, story: Data) -> None:
    for data in story["teams"]:
        team, _made = Team.objects.update_or_create(tenant=tenant, name=data["name"])
        team.leaders.set(User.objects.filter(tenant=tenant, username__in=data["leaders"]))


def _load_agent(tenant: Tenant, switch: Switch, data: Data) -> None:
    agent, _made = Agent.objects.update_or_create(
        tenant=tenant,
        number=data["number"],
        defaults={
            "name": data["name"],
            "user": User.objects.get(username=data["username"]),
            "team": Team.objects.get(tenant=tenant, name=data["team"]),
            "device_kind": data.get("device", DeviceChoice.BROWSER),
            "enabled": True,
        },
    )
    give_device(agent, switch)
    for code, proficiency in data["skills"].items():
        skill = Skill.objects.get(tenant=tenant, code=code)
        AgentSkill.objects.update_or_create(agent=agent, skill=skill, defaults={"proficiency": proficiency})


def _load_queues(tenant: Tenant, story: Data) -> None:
    music = MusicClass.objects.get(name=story["music"][0]["name"])
    prompts = {prompt.code: prompt for prompt in Prompt.objects.filter(tenant=tenant)}
    calendars = {calendar.code: calendar for calendar in Calendar.objects.filter(tenant=tenant)}
    queues = {}
    for data in story["queues"]:
        settings_of_queue = {key: value for key, value in data.items() if key not in _ROWS_OF_QUEUE}
        for field in ("overflow_prompt", "closing_prompt", "closed_prompt"):
            settings_of_queue[field] = prompts.get(data.get(field, ""))
        settings_of_queue["calendar"] = calendars.get(data.get("calendar", ""))
        queue, _made = Queue.objects.update_or_create(
            tenant=tenant, code=data["code"], defaults={**settings_of_queue, "music": music}
        )
        _load_serving(queue, data, story["agents"])
        for position, code in enumerate(data.get("comforts", ()), 1):
            QueueComfort.objects.create(queue=queue, prompt=prompts[code], position=position)
        queues[data["code"]] = queue
    for data in story["queues"]:
        queue = queues[data["code"]]
        queue.overflow_queue = queues.get(data.get("overflow_queue", ""))
        queue.full_clean()
        queue.save()


_ROWS_OF_QUEUE = ("needs", "rings", "comforts", "overflow_queue")


def _load_serving(queue: Queue, data: Data, agents: list[Data]) -> None:
    """Who serves it and how far, what is asked of them, and what is asked less after a while."""
    for rows in (queue.memberships, queue.needs, queue.rings, queue.comforts):
        rows.all().delete()
    skills = {skill.code: skill for skill in Skill.objects.filter(tenant=queue.tenant)}
    for agent in agents:
        if data["code"] in agent["queues"]:
            row = Agent.objects.get(tenant=queue.tenant, number=agent["number"])
            QueueMembership.objects.create(queue=queue, agent=row, **agent.get("served", {}).get(data["code"], {}))
    for need in data.get("needs", ()):
        QueueSkill.objects.create(queue=queue, **{**need, "skill": skills[need["skill"]]})
    for ring in data.get("rings", ()):
        QueueRing.objects.create(queue=queue, **{**ring, "skill": skills.get(ring.get("skill", ""))})


def _load_flow(tenant: Tenant) -> Flow:
    document = json.loads((STORY_DIR / "hotline.flow.json").read_text())
    flow, _made = Flow.objects.update_or_create(
        tenant=tenant, code=document["id"], defaults={"name": "服务热线", "draft": document}
    )
    publish(flow, comment="story")
    return flow


def _load_dialing(tenant: Tenant, story: Data) -> None:
    DialPolicy.objects.update_or_create(tenant=tenant, defaults=story["dialing"])
    for data in story["dial_rules"]:
        key = {"tenant": tenant, "prefix": data["prefix"], "whole": data.get("whole", False)}
        DialRule.objects.update_or_create(**key, defaults=data)


def _load_lines(tenant: Tenant, switch: Switch, story: Data, flow: Flow) -> None:
    _load_dialing(tenant, story)
    for data in story["trunks"]:
        Trunk.objects.update_or_create(switch=switch, gateway=data["gateway"], defaults={**data, "tenant": tenant})
    for data in story["dids"]:
        Did.objects.update_or_create(
            switch=switch, number=data["number"], defaults={**data, "tenant": tenant, "flow": flow}
        )
