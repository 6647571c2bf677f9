"""A call back is no wait of the day's figures, whatever befalls it on its way."""

from __future__ import annotations

from dataclasses import replace

from apps.core import events as e
from apps.core import facts as f
from apps.core.ids import TenantId
from apps.reports.day.stretches import QUEUE, Stretches
from tests.core.callback_scene import agent_answers, booked, customer_answers, scene_of
from tests.core.scene import SWITCH


def test_who_is_called_back_in_vain_at_first_is_not_counted_as_one_more_caller_in_line() -> None:
    scene = scene_of()
    call = booked(scene)
    scene.ready("bob")
    leg = agent_answers(scene, call)
    customer_answers(scene, call)
    scene.hang_up(leg)
    scene.feed(e.CallArrived(switch=SWITCH, leg=call.leg, did="4001", caller_number="1", call=call.id))
    scene.answer_offer(call)
    assert call.state == "talking"

    stretches, began = Stretches(), []
    for fact in scene.facts:
        if isinstance(fact, f.CallFact):
            _, new = stretches.take(replace(fact, tenant=TenantId("1")))
            began += [new.kind] if new is not None else []
    assert began == [QUEUE, "talk"], "the wait until the booking, and the talk"
