"""Legs that every switch driver is asked to dial: answered, refused, cancelled."""

from __future__ import annotations

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core.events import HangupCause
from tests.switches.contract.callers import needs_told
from tests.switches.contract.rigs import BUSY, GATEWAY, REJECTS, SWITCH, TOLD, UNAVAILABLE, UNREGISTERED, Scene


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        (BUSY, HangupCause.BUSY),
        (REJECTS, HangupCause.REJECTED),
        (UNREGISTERED, HangupCause.NOT_REGISTERED),
    ],
)
def test_an_originate_fails_with_its_cause(scene: Scene, address: str, cause: HangupCause) -> None:
    leg = scene.originate(address)
    assert scene.wait(e.LegHungUp, leg=leg).cause is cause
    assert not scene.all(e.LegParked, leg=leg)


def test_an_unavailable_phone_is_a_failure(scene: Scene) -> None:
    leg = scene.originate(UNAVAILABLE)
    assert scene.wait(e.LegHungUp, leg=leg).raw == "NO_USER_RESPONSE"


def test_nobody_answers(scene: Scene) -> None:
    leg = scene.originate(TOLD, ring_timeout_ms=1000)
    scene.wait(e.LegRinging, leg=leg)
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.NO_ANSWER


def test_an_unknown_trunk_is_a_mistake_in_the_configuration(scene: Scene) -> None:
    leg = scene.originate("13912345678", gateway="nope")
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.INVALID


def test_a_number_behind_a_trunk(scene: Scene) -> None:
    leg = scene.originate("13912345678", gateway=GATEWAY)
    scene.wait(e.LegRinging, leg=leg)
    scene.wait(e.LegParked, leg=leg)
    scene.hang_up(leg)
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.NORMAL


def test_an_originate_is_cancelled_while_it_rings(scene: Scene) -> None:
    leg = scene.originate(TOLD)
    scene.wait(e.LegRinging, leg=leg)
    scene.hang_up(leg, HangupCause.CANCELLED)
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.CANCELLED


def test_an_originate_is_cancelled_before_there_is_a_channel(scene: Scene) -> None:
    leg = scene.originate(TOLD)
    scene.hang_up(leg, HangupCause.CANCELLED)
    scene.wait(e.LegHungUp, leg=leg)
    scene.rig.let_pass(200)
    assert not scene.rig.exists(leg)
    assert not scene.all(e.LegParked, leg=leg)


def test_the_device_is_made_to_answer(scene: Scene) -> None:
    needs_told(scene)
    leg = scene.originate(TOLD)
    scene.wait(e.LegRinging, leg=leg)
    scene.do(c.AnswerDevice(switch=SWITCH, leg=leg))
    scene.wait(e.LegParked, leg=leg)


def test_the_device_answers_by_itself_when_asked_to(scene: Scene) -> None:
    needs_told(scene)
    leg = scene.originate(TOLD, auto_answer=True)
    scene.wait(e.LegParked, leg=leg)
