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
from apps.core.fold_rules import on_call

if TYPE_CHECKING:
    from apps.core.state import State


@on_call(f.CallQueued)
def _call_queued(state: State, call: Call, fact: f.CallQueued) -> None:
    before = call.wait
    call.wait = Wait(
        queue=fact.queue, needs=fact.needs, priority=fact.priority, queued_ms=fact.queued_ms,
        deadline_ms=fact.deadline_ms, wanted_agent=fact.wanted_agent,
        entered_ms=before.entered_ms if before is not None else fact.at_ms,
    )  # fmt: skip
    call.last_queue = fact.queue
    if fact.wanted_agent is None:
        call.transfer = None
    call.move(CallState.WAITING, fact.at_ms)


@on_call(f.CallDequeued)
def _call_dequeued(state: State, call: Call, fact: f.CallDequeued) -> None:
    call.wait = None


@on_call(f.AgentOffered)
def _agent_offered(state: State, call: Call, fact: f.AgentOffered) -> None:
    call.offer = Offer(
        agent=fact.agent, leg=fact.leg, queue=fact.queue, deadline_ms=fact.deadline_ms,
        idle_since_ms=fact.idle_since_ms, offered_ms=fact.at_ms, ack_deadline_ms=fact.ack_deadline_ms,
    )  # fmt: skip


@on_call(f.OfferAcked)
def _offer_acked(state: State, call: Call, fact: f.OfferAcked) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer.ack_deadline_ms = None


@on_call(f.AnswerAsked)
def _answer_asked(state: State, call: Call, fact: f.AnswerAsked) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer.answer_asked = True


@on_call(f.WhisperStarted)
def _whisper_started(state: State, call: Call, fact: f.WhisperStarted) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer.whisper, call.offer.whisper_until_ms = fact.play, fact.deadline_ms


@on_call(f.OfferEnded)
def _offer_ended(state: State, call: Call, fact: f.OfferEnded) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer = None
