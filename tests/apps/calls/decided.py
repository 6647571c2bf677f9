"""A call to the story's technical support, which asks for more here, taken by a real engine to its first offer.

The offer's facts hold the trace that the engine puts on record.

何敏's 技术组 is at work: 周涛 (too low a level), 郑凯 (fits), 吴昊 (an expert, in the third tier) and 孙悦 (on pause).
"""

from __future__ import annotations

from apps.accounts.models import Tenant
from apps.agents.models import Agent, Skill
from apps.calls.services import StoredFact
from apps.core import events as e
from apps.core import facts as f
from apps.core.config import CenterConfig
from apps.core.engine import Engine
from apps.core.ids import AgentId, LegId, SwitchId
from apps.queues.models import Queue
from apps.telephony.center_config import compile_center_config
from tests.apps.facts_of_calls import T0, stored

READY, PAUSED = ("1008", "1010", "1009"), "1012"


class Floor:
    """An engine with the story's configuration, whose agents have SIP telephones. Keeps all facts."""

    def __init__(self, config: CenterConfig) -> None:
        self.engine, self.now_ms = Engine(), T0
        self.facts: list[f.Fact] = []
        self.switch = SwitchId(next(iter(config.dids.values())).switch)
        self.feed(e.EngineRestarted(run="r1"))
        self.feed(e.ConfigChanged(config=config))
        self.feed(e.LinkUp(switch=self.switch, boot="b1"))

    def feed(self, event: e.Event) -> None:
        self.now_ms += 100
        self.facts += [item for item in self.engine.handle(event, self.now_ms) if isinstance(item, f.Fact)]

    def wait(self, seconds: float) -> None:
        until_ms = self.now_ms + int(seconds * 1000)
        while (due_ms := self.engine.next_deadline_ms()) is not None and due_ms < until_ms:
            self.now_ms = max(due_ms, self.now_ms)
            self.feed(e.DeadlinePassed())
        self.now_ms = until_ms

    def ask(self, kind: type[e.AgentRequest], agent: Agent, **fields: str) -> None:
        name = AgentId(str(agent.pk))
        tenant = str(agent.tenant_id)
        self.feed(kind(cmd_id=f"c{self.now_ms}", tenant=tenant, actor=name, agent=name, **fields))  # type: ignore[arg-type]

    def call_support(self) -> None:
        leg = LegId("caller-1")
        self.feed(e.CallArrived(switch=self.switch, leg=leg, did="4008005566", caller_number="13955501100"))
        for key in "13":
            self.feed(e.DigitPressed(switch=self.switch, leg=leg, digit=key))


def support_call(story: Tenant, *, waits_s: float = 0) -> list[StoredFact]:
    """Facts up to the first offer; with ``waits_s`` only 周涛 is at work, who fits when less is asked for."""
    Agent.objects.update(device_kind="sip")
    support = Queue.objects.get(tenant=story, code="support")
    support.needs.filter(skill__code="network").update(level=4)
    support.rings.all().delete()
    support.rings.create(after_s=30, skill=Skill.objects.get(code="network"), level=3)
    floor = Floor(compile_center_config(1, story.pk))
    agents = {agent.number: agent for agent in Agent.objects.filter(tenant=story)}
    for number in (*(READY[:1] if waits_s else READY), PAUSED):
        floor.ask(e.AgentSignedIn, agents[number])
        if number != PAUSED:
            floor.ask(e.AgentWentReady, agents[number])
    floor.call_support()
    floor.wait(waits_s)
    return stored(floor.facts)
