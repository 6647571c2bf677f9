"""When a difference between the switch's list and the core's belief is worth a full reading."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.core.commands import BelievedLeg, CompareLegs
from apps.core.events import LegRole
from apps.core.ids import LegId, SwitchId
from apps.switches.freeswitch.legs import Leg, Legs
from apps.switches.freeswitch.lookout import SLOW_MS, TELL_AGAIN_MS, Lookout
from apps.switches.freeswitch.ports import LINK_LOST, Context, Counters
from apps.switches.freeswitch.settings import FreeSwitchSettings
from tests.switches.freeswitch.fakes import FakePorts

S = SwitchId("1")
A = LegId("a")
IDLE = BelievedLeg(leg=A, talking=False, ours=True)
TALKING = BelievedLeg(leg=A, talking=True)
RINGING = BelievedLeg(leg=A, talking=False, ringing=True)
IN_MOTION = BelievedLeg(leg=A)


class Watch:
    """A lookout over a switch whose list we write."""

    def __init__(self) -> None:
        self.ports = FakePorts(held={A})
        self.legs = Legs()
        self.readings = 0
        settings = FreeSwitchSettings(switch=S, password="x")
        context = Context(settings=settings, ports=self.ports, counters=Counters())
        self.lookout = Lookout(context, self.legs, self._read)

    def _read(self) -> None:
        self.readings += 1

    def look(self, *believed: BelievedLeg, rows: list[dict[str, Any]] | None = None, took_ms: int = 20) -> int:
        """Readings asked for so far."""
        self.lookout.compare(CompareLegs(switch=S, leg=LegId(""), believed=believed))
        self.ports.now += took_ms
        listed = {"row_count": len(rows or ()), **({"rows": rows} if rows else {})}
        self.ports.reply(json.dumps(listed))
        self.ports.now += 5_000
        return self.readings


def row(uuid: str = "a", state: str = "CS_EXECUTE", callstate: str = "ACTIVE", app: str = "playback") -> dict[str, Any]:
    return {"uuid": uuid, "state": state, "callstate": callstate, "application": app}


@pytest.mark.parametrize(
    ("believed", "listed"),
    [
        (IDLE, []),
        (IN_MOTION, []),
        (IDLE, [row(state="CS_EXCHANGE_MEDIA")]),
        (TALKING, [row()]),
        (RINGING, [row(state="CS_PARK")]),
    ],
)
def test_a_difference_that_is_there_twice_is_read_in_full_and_not_told_again_at_once(
    believed: BelievedLeg, listed: list[dict[str, Any]]
) -> None:
    watch = Watch()
    assert watch.look(believed, rows=listed) == 0, "once may be a list that lags"
    assert watch.look(believed, rows=listed) == 1
    assert watch.look(believed, rows=listed) == 1
    watch.ports.now += TELL_AGAIN_MS
    assert watch.look(believed, rows=listed) == 2


@pytest.mark.parametrize(
    ("believed", "listed"),
    [
        (IDLE, [row(), row("not-ours")]),
        (IDLE, [row(app="socket")]),
        (TALKING, [row(state="CS_EXCHANGE_MEDIA")]),
        (TALKING, [row(state="CS_SOFT_EXECUTE", callstate="HELD")]),
        (RINGING, [row(state="CS_CONSUME_MEDIA", callstate="RINGING")]),
        (IN_MOTION, [row()]),
        (IN_MOTION, [row(state="CS_EXCHANGE_MEDIA")]),
    ],
)
def test_what_is_as_believed_costs_a_look_and_no_more(believed: BelievedLeg, listed: list[dict[str, Any]]) -> None:
    watch = Watch()
    for _ in range(3):
        assert watch.look(believed, rows=listed) == 0
    assert len(watch.ports.sent) == 3


def test_one_that_waits_for_an_engine_that_is_not_us_is_seen() -> None:
    watch = Watch()
    watch.ports.held.clear()
    watch.look(IDLE, rows=[row(app="socket")])
    assert watch.look(IDLE, rows=[row(app="socket")]) == 1
    stranger = Watch()
    stranger.look(rows=[row("b", app="socket")])
    assert stranger.look(rows=[row("b", app="socket")]) == 1


def test_a_leg_of_ours_that_the_core_does_not_know_is_seen() -> None:
    watch = Watch()
    watch.legs.add(Leg(leg=LegId("b"), role=LegRole.AGENT, since_ms=0))
    watch.look(rows=[row("b")])
    assert watch.look(rows=[row("b")]) == 1


def test_a_slow_or_broken_answer_proves_nothing() -> None:
    watch = Watch()
    watch.look(IDLE)
    assert watch.look(IDLE, took_ms=SLOW_MS + 1) == 0
    assert watch.look(IDLE) == 0, "the count begins anew"
    watch.lookout.compare(CompareLegs(switch=S, leg=LegId(""), believed=(IDLE,)))
    watch.ports.reply(LINK_LOST)
    assert watch.look(IDLE) == 0
    assert watch.look(IDLE) == 1
