"""A call back from its booking to its end. The call lives on: it waits in the old place, for a while without a leg.

Booked by a key in the queue, by a flow, or by a program; served like any other caller when its turn comes
(``attempts``), or given up. One open call back per number and queue.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core import texts
from apps.core.callbacks import readiness
from apps.core.callbacks.model import CallbackSource, CallbackState
from apps.core.calls import closing, lines
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import CallbackOffer, QueueConfig, SkillNeed
from apps.core.events import HangupCause
from apps.core.ids import AgentId, QueueId, SwitchId, TenantId
from apps.core.queues import announcements, offers, remembered
from apps.core.refusals import Refusal
from apps.core.requests import answer_once

GOODBYE_GRACE_MS = 5_000
"""A caller who has booked is gone so long after the goodbye should be over, or is looked for."""
LONGEST_AHEAD_MS = 30 * 24 * 3_600_000
_OUTCOMES = {
    f.CallbackOutcome.CANCELLED: f.CallOutcome.CANCELLED,
    f.CallbackOutcome.FAILED: f.CallOutcome.FAILED,
}
"""Of the call, where the call back was its end; else it was not reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """In line: what is kept."""

    queue: QueueId
    needs: tuple[SkillNeed, ...] = ()
    priority: int
    queued_ms: int


def offer_of(queue: QueueConfig | None) -> CallbackOffer | None:
    return queue.life.callback if queue is not None else None


def book(
    center: Center,
    call: Call,
    place: Place,
    offer: CallbackOffer,
    number: str,
    source: CallbackSource,
    *,
    due_ms: int | None = None,
    agent_first: bool | None = None,
    cmd_id: str = "",
    actor: str = "",
) -> None:
    """Out of the line on the telephone, into the line without it. Who is on the telephone hears that, and goodbye."""
    here, sticky = call.leg in call.legs, _of_last_time(center, call, place.queue)
    offers.withdraw_all(center, call, f.OfferOutcome.WITHDRAWN)
    offers.leave_line(center, call, f.QueueExit.CALLBACK)
    if call.ivr is not None and call.ivr.position is not None:
        center.emit(f.IvrLeft(at_ms=center.now_ms, tenant=call.tenant, call=call.id, reason="callback"))
    sounds = announcements.phrase(center, call.lang, "callback.booked") if here else ()
    play = center.mint.play() if sounds else None
    first_ms = center.now_ms if due_ms is None else due_ms
    center.emit(
        f.CallbackBooked(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            callback=center.mint.callback(),
            queue=place.queue,
            needs=place.needs,
            priority=place.priority,
            queued_ms=place.queued_ms,
            number=number,
            agent_first=offer.agent_first if agent_first is None else agent_first,
            source=source,
            due_ms=first_ms,
            until_ms=first_ms + offer.window_ms,
            play=play,
            deadline_ms=center.now_ms + center.state.config.lasts_ms(sounds) + GOODBYE_GRACE_MS if here else None,
            cmd_id=cmd_id,
            actor=actor,
            sticky_agent=sticky,
            sticky_until_ms=sticky_until_ms(center, place.queue, sticky, first_ms),
        )
    )
    if play is not None:
        center.send(c.PlayPrompts(switch=call.switch, leg=call.leg, play=play, sounds=sounds, barge=False))
    elif here:
        let_go(center, call)


def _of_last_time(center: Center, call: Call, queue: QueueId) -> AgentId | None:
    """Who is to call back first, where the queue wants that: the agent whom the caller waits for, or talked with."""
    config = center.queue_config(queue)
    if call.wait is not None and call.wait.queue == queue and call.wait.sticky_agent is not None:
        return call.wait.sticky_agent
    return remembered.agent_of(center.state, config, call, center.now_ms) if config is not None else None


def sticky_until_ms(center: Center, queue: QueueId, agent: AgentId | None, from_ms: int) -> int:
    """So long this agent alone is asked. From each try on: who was not reached is still that agent's customer."""
    config = center.queue_config(queue)
    return from_ms + config.sticky_wait_ms if agent is not None and config is not None else 0


def let_go(center: Center, call: Call) -> None:
    """The goodbye is said."""
    center.send(c.HangUpLeg(switch=call.switch, leg=call.leg))


def not_gone(center: Center, call: Call) -> None:
    """Who has booked should have been let go by now: again, and look."""
    center.emit(
        f.CallAwaited(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            reason="the caller who booked a call back is still there",
            deadline_ms=center.now_ms + GOODBYE_GRACE_MS,
        )
    )
    let_go(center, call)
    center.send(c.RequestSnapshot(switch=call.switch, leg=call.leg))


def end(center: Center, call: Call, outcome: f.CallbackOutcome, cause: HangupCause = HangupCause.NORMAL) -> None:
    """Without having been served: the call is over."""
    offers.withdraw_all(center, call, f.OfferOutcome.WITHDRAWN)
    emit_ended(center, call, outcome)
    ended = f.CallOutcome.SERVED if call.served else _OUTCOMES.get(outcome, f.CallOutcome.NOT_REACHED)
    closing.drop(center, call, ended, cause)


def emit_ended(center: Center, call: Call, outcome: f.CallbackOutcome) -> None:
    if call.callback is not None:
        center.emit(
            f.CallbackEnded(
                at_ms=center.now_ms, tenant=call.tenant, call=call.id, callback=call.callback.id, outcome=outcome
            )
        )


# --- asked for by programs and people --------------------------------------------------------------------------------


def request(center: Center, event: e.CallbackRequested) -> None:
    answer_once(center, event, lambda: _from_outside(center, event))


def _from_outside(center: Center, event: e.CallbackRequested) -> Refusal | None:
    queue = center.queue_config(event.queue)
    if queue is None or queue.tenant != event.tenant:
        return Refusal("not_found", "no such queue")
    offer = offer_of(queue)
    if offer is None:
        return Refusal("callbacks_off", "this queue makes no calls back")
    refusal = lines.number_problem(center, event.tenant, event.number)
    if refusal is not None:
        return refusal
    if event.due_ms is not None and event.due_ms > center.now_ms + LONGEST_AHEAD_MS:
        return Refusal("bad_time", "not more than 30 days ahead")
    if (known := readiness.open_callback(center.state, event.tenant, event.queue, event.number)) is not None:
        return Refusal("already_booked", f"this number has an open call back in this queue: {known.id}")
    switch, refusal = _switch_for(center, event.tenant, event.number)
    if switch is None:
        return refusal
    _start(center, event, queue, offer, switch)
    return None


def _switch_for(center: Center, tenant: TenantId, number: str) -> tuple[SwitchId | None, Refusal | None]:
    """The first with a trunk of this tenant out of it; that all of its lines are busy now says nothing about later."""
    trunks = center.state.config.trunks.values()
    switches = sorted({trunk.switch for trunk in trunks if trunk.tenant == tenant and trunk.outbound})
    if not switches:
        return None, Refusal("no_trunk", "no trunk for outbound calls")
    ways = {switch: lines.way_out(center, tenant, switch, number)[0] for switch in switches}
    return next((switch for switch, way in ways.items() if way is not None), switches[0]), None


def _start(
    center: Center, event: e.CallbackRequested, queue: QueueConfig, offer: CallbackOffer, switch: SwitchId
) -> None:
    call_id = center.mint.call()
    trunk, _ = lines.way_out(center, event.tenant, switch, event.number)
    shown = next(iter(lines.caller_numbers(center.state.config, trunk)), "") if trunk is not None else ""
    center.emit(
        f.CallStarted(
            at_ms=center.now_ms,
            tenant=event.tenant,
            call=call_id,
            leg=center.mint.leg(),
            switch=switch,
            direction=f.Direction.OUTBOUND,
            did=shown,
            caller_number=event.number,
            caller_name=event.name[: texts.LONGEST_NAME],
            trunk=trunk.gateway if trunk is not None else "",
            customer=event.customer[: texts.LONGEST_KEY],
            attached=texts.attached(event.attached),
        )
    )
    due_ms = max(center.now_ms, event.due_ms) if event.due_ms is not None else center.now_ms
    place = Place(queue=queue.id, priority=queue.priority, queued_ms=due_ms)
    book(
        center, center.state.calls[call_id], place, offer, event.number, CallbackSource.WEB,
        due_ms=due_ms, agent_first=event.agent_first, cmd_id=event.cmd_id, actor=event.actor,
    )  # fmt: skip


def cancel(center: Center, event: e.CallbackCancelRequested) -> None:
    answer_once(center, event, lambda: _cancel(center, event))


def _cancel(center: Center, event: e.CallbackCancelRequested) -> Refusal | None:
    call = center.state.calls.get(event.call)
    if call is None or call.tenant != event.tenant or call.callback is None:
        return Refusal("not_found", "no such open call back")
    with_agent = call.dial is not None or call.bridge is not None
    if with_agent or call.callback.state is CallbackState.ON_LINE:
        return Refusal("wrong_state", "the customer is being connected")
    end(center, call, f.CallbackOutcome.CANCELLED)
    return None
