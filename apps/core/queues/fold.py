"""What each fact about waiting and being offered changes in the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import facts as f
from apps.core.calls.model import (
    Call,
    CallState,
    Offer,
    Wait,
)
from apps.core.fold_rules import on, on_call
from apps.core.queues import estimates, remembered
from apps.core.queues.load import load_of

if TYPE_CHECKING:
    from apps.core.state import State


@on_call(f.CallQueued)
def _call_queued(state: State, call: Call, fact: f.CallQueued) -> None:
    before = call.wait
    call.wait = Wait(
        queue=fact.queue, needs=fact.needs, priority=fact.priority, queued_ms=fact.queued_ms,
        deadline_ms=fact.deadline_ms, wanted_agent=fact.wanted_agent, estimate_ms=fact.estimate_ms,
        last_wait_ms=fact.last_wait_ms, entered_ms=fact.at_ms,
        sticky_agent=fact.sticky_agent, sticky_until_ms=fact.sticky_until_ms,
    )  # fmt: skip
    remembered.place_taken(state, call, fact)
    if before is not None:  # back in the old place
        for kept in ("entered_ms", "estimate_ms", "last_wait_ms", "comforts", "comforted_ms", "told_ms"):
            setattr(call.wait, kept, getattr(before, kept))
    if fact.consult:
        return  # the caller's own queue stays the last
    call.last_queue = fact.queue
    if fact.wanted_agent is None:
        call.transfer = None
    call.move(CallState.WAITING, fact.at_ms)


@on_call(f.CallDequeued)
def _call_dequeued(state: State, call: Call, fact: f.CallDequeued) -> None:
    if fact.reason is f.QueueExit.ANSWERED and call.wait is not None and call.wait.wanted_agent is None:
        load = load_of(state, fact.queue)
        estimates.answered(load, fact.waited_ms, call.wait.estimate_ms, call.wait.last_wait_ms)
    remembered.place_left(state, call, fact)
    call.last_queued_ms = call.wait.queued_ms if call.wait is not None else None
    call.wait = call.dialog = None


@on_call(f.CallOverflowed)
def _call_overflowed(state: State, call: Call, fact: f.CallOverflowed) -> None:
    call.overflow_path.append(fact.queue)
    call.overflows += 1


@on_call(f.AnnouncementStarted)
def _announcement_started(state: State, call: Call, fact: f.AnnouncementStarted) -> None:
    wait = call.wait
    if wait is None:
        return
    wait.play, wait.play_until_ms = fact.play, fact.deadline_ms
    if "comfort" in fact.parts:
        wait.comforts += 1
        wait.comforted_ms = fact.at_ms
    if {"position", "wait"} & set(fact.parts):
        wait.told_ms = fact.at_ms


@on_call(f.AnnouncementEnded)
def _announcement_ended(state: State, call: Call, fact: f.AnnouncementEnded) -> None:
    if call.wait is not None and call.wait.play == fact.play:
        call.wait.play = None


@on(f.QueueClosed)
def _queue_closed(state: State, fact: f.QueueClosed) -> None:
    load_of(state, fact.queue).closed = fact.reason


@on(f.QueueOpened)
def _queue_opened(state: State, fact: f.QueueOpened) -> None:
    load_of(state, fact.queue).closed = ""


@on(f.QueueDeserted)
def _queue_deserted(state: State, fact: f.QueueDeserted) -> None:
    load_of(state, fact.queue).deserted_ms = fact.at_ms


@on(f.QueueStaffed)
def _queue_staffed(state: State, fact: f.QueueStaffed) -> None:
    load_of(state, fact.queue).deserted_ms = None


@on_call(f.AgentOffered)
def _agent_offered(state: State, call: Call, fact: f.AgentOffered) -> None:
    call.offers[fact.leg] = Offer(
        agent=fact.agent, leg=fact.leg, queue=fact.queue, deadline_ms=fact.deadline_ms,
        idle_since_ms=fact.idle_since_ms, offered_ms=fact.at_ms, ack_deadline_ms=fact.ack_deadline_ms,
        version=call.version,
    )  # fmt: skip
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.offered_ms = fact.at_ms


@on_call(f.OfferAcked)
def _offer_acked(state: State, call: Call, fact: f.OfferAcked) -> None:
    if fact.leg in call.offers:
        call.offers[fact.leg].ack_deadline_ms = None


@on_call(f.AnswerAsked)
def _answer_asked(state: State, call: Call, fact: f.AnswerAsked) -> None:
    if fact.leg in call.offers:
        call.offers[fact.leg].answer_asked = True


@on_call(f.WhisperStarted)
def _whisper_started(state: State, call: Call, fact: f.WhisperStarted) -> None:
    offer = call.offers.get(fact.leg)
    if offer is not None:
        offer.whisper, offer.whisper_until_ms = fact.play, fact.deadline_ms


@on_call(f.OfferEnded)
def _offer_ended(state: State, call: Call, fact: f.OfferEnded) -> None:
    call.offers.pop(fact.leg, None)
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.offer_end = fact.outcome
        agent.missed += fact.outcome is f.OfferOutcome.NO_ANSWER
