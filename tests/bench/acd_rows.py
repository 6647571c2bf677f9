"""Run inside Django (``manage.py shell``): a queue, a one-key menu and agents behind the trunk, for the benchmark."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import Tenant
from apps.agents.models import Agent
from apps.ivr.models import Flow
from apps.ivr.services import publish
from apps.queues.models import Queue
from apps.telephony.models import Did, MusicClass, Prompt, Switch, Trunk
from apps.telephony.services import config_changed


@transaction.atomic
def prepare(agents: int, did: str) -> None:
    tenant, switch, trunk = Tenant.objects.get(), Switch.objects.get(), Trunk.objects.get()
    music = MusicClass.objects.get(name="default")
    values = {"name": "Bench", "wrap_up_s": 0, "record": True, "music": music, "max_wait_s": 600}
    queue, _made = Queue.objects.update_or_create(tenant=tenant, code="bench", defaults=values)
    queue.members.set([_agent(tenant, trunk, 8001 + number) for number in range(agents)])
    flow, _made = Flow.objects.update_or_create(
        tenant=tenant, code="bench", defaults={"name": "Bench", "draft": _document()}
    )
    publish(flow, comment="bench")
    Did.objects.update_or_create(switch=switch, number=did, defaults={"tenant": tenant, "flow": flow})
    config_changed()


def _agent(tenant: Tenant, trunk: Trunk, number: int) -> Agent:
    values = {
        "name": f"Bench {number}",
        "device_kind": "pstn",
        "outside_number": str(number),
        "outside_trunk": trunk,
        "enabled": True,
    }
    agent, _made = Agent.objects.update_or_create(tenant=tenant, number=str(number), defaults=values)
    return agent


def _document() -> dict[str, object]:
    choose = {"zh": "购买产品请按1,账单和业务请按2,技术支持请按3,人工服务请按0,重听请按9。"}
    choose["en"] = (
        "For sales press 1, for billing and service press 2, for technical support press 3, "
        "for an agent press 0, to repeat press 9."
    )
    return {
        "schema": "ivr/1",
        "id": "bench",
        "langs": ["zh", "en"],
        "default_lang": "zh",
        "start": "ans",
        "prompts": {"choose": choose},
        "handlers": {"error": "line", "limit": "line"},
        "nodes": {
            "ans": {"type": "answer", "on": {"ok": "main"}},
            "main": {"type": "menu", "say": [{"p": "choose"}], "keys": {"1": "line"}, "on": {"fail": "line"}},
            "line": {"type": "enqueue", "queue": "bench"},
        },
    }


def without_voices() -> None:
    """Sounds by name, where nobody will hear them."""
    Prompt.objects.update(sound_zh="zh.wav", sound_en="en.wav")
    config_changed()
