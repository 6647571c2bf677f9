"""Callers and agents as the contract's tests need them, through the driver that is tried."""

from __future__ import annotations

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core.ids import CallId, LegId, PlayId
from tests.switches.contract.rigs import ANSWERS, SWITCH, TENANT, Scene

CALL = CallId("run1-c1")
CALLER = "13800138000"


def arrive(scene: Scene, number: str = CALLER, name: str = "Wang Fang") -> LegId:
    """One caller more, answered and tagged."""
    mark = scene.mark()
    scene.rig.place_call(number, name)
    leg = scene.wait(e.CallArrived, after=mark, caller_number=number).leg
    scene.do(c.TagLeg(switch=SWITCH, leg=leg, call=CALL, tenant=TENANT))
    scene.do(c.AnswerLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegAnswered, after=mark, leg=leg)
    return leg


def play(scene: Scene, leg: LegId, play_id: str, *sounds: str, barge: bool = True) -> PlayId:
    play = PlayId(play_id)
    scene.do(c.PlayPrompts(switch=SWITCH, leg=leg, play=play, sounds=sounds, barge=barge))
    return play


def talk(scene: Scene, customer: LegId) -> LegId:
    """Connect the customer to an agent."""
    agent = scene.originate(ANSWERS)
    scene.wait(e.LegParked, leg=agent)
    scene.do(c.BridgeLegs(switch=SWITCH, leg=agent, other=customer))
    bridged = scene.wait(e.LegsBridged)
    assert {bridged.leg, bridged.other} == {agent, customer}
    return agent


def needs_told(scene: Scene) -> None:
    if not scene.rig.told:
        pytest.skip("this rig's phones cannot be told to answer")
