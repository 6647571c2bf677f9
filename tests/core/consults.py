"""An attended transfer, step by step, on a switch that does as it is told."""

from __future__ import annotations

from typing import Any

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call, Consult
from apps.core.codec import to_plain
from apps.core.ids import LegId
from tests.core.scene import SWITCH, Scene


class Asked:
    """Bob talks with a customer and asks somebody; ``far`` is the consulted's telephone."""

    def __init__(self, scene: Scene, kind: str = "agent", target: str = "cai", **fields: Any) -> None:
        self.scene = scene
        scene.ready("bob")
        self.call, self.bobs = scene.talk()
        if kind in ("agent", "queue"):
            scene.ready("cai")
        self.ask(e.ConsultRequested, kind=e.TransferKind(kind), target=target, note="angry", **fields)

    @property
    def consult(self) -> Consult:
        assert self.call.consult is not None
        return self.call.consult

    @property
    def far(self) -> LegId:
        return next(leg for leg in self.call.legs if leg not in (self.call.leg, self.bobs))

    def ask(self, request: type[e.CallRequest], by: str = "bob", **fields: Any) -> None:
        self.scene.ask(request, by, call=self.call.id, **fields)

    def both_parted(self) -> None:
        self.scene.feed(e.LegParked(switch=SWITCH, leg=self.bobs))
        self.customer_comes()

    def customer_comes(self) -> None:
        self.scene.arrive(self.call.leg, call=self.call.id)

    def answer(self) -> None:
        for kind in (e.LegRinging, e.LegAnswered, e.LegParked):
            self.scene.feed(kind(switch=SWITCH, leg=self.far))

    def bridge(self) -> None:
        """As last asked for."""
        asked = self.scene.last(c.BridgeLegs)
        self.scene.feed(e.LegsBridged(switch=SWITCH, leg=asked.leg, other=asked.other))

    def talk(self) -> Asked:
        """Until bob talks with the consulted."""
        self.both_parted()
        self.answer()
        self.bridge()
        return self

    def swap(self) -> None:
        """Bob with the customer, the consulted with music."""
        self.ask(e.ConsultSwapRequested)
        self.bridge()
        self.scene.feed(e.LegParked(switch=SWITCH, leg=self.far))

    def three(self) -> Asked:
        self.ask(e.ThreeWayRequested)
        for leg in (self.call.leg, self.bobs, self.far):
            self.scene.feed(e.LegJoined(switch=SWITCH, leg=leg, room=self.call.id))
        return self


def heard(scene: Scene, leg: str) -> str | None:
    """What plays to this leg, when that is the last said to it."""
    said = [one for one in scene.commands if one.leg == leg and isinstance(one, (c.StartMusic, c.BridgeLegs))]
    return said[-1].music if said and isinstance(said[-1], c.StartMusic) else None


def state_of(call: Call) -> str:
    return str(call.state)


def asked(kind: str = "agent", target: str = "cai", **fields: object) -> Asked:
    return Asked(Scene(), kind, target, **fields)


def refused(at: Asked, request: type[e.CallRequest], code: str, by: str = "bob", **fields: object) -> None:
    before = to_plain(at.scene.state.calls), to_plain(at.scene.state.agents)
    at.ask(request, by, **fields)
    assert at.scene.just(f.RequestRefused)[0].code == code and not at.scene.just(c.Command)
    assert (to_plain(at.scene.state.calls), to_plain(at.scene.state.agents)) == before
