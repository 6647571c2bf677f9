"""A word to the agent alone before the caller is connected. For telephones that pick up by themselves."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.callbacks import attempts
from apps.core.calls import consulting
from apps.core.calls.model import Call, Leg, Offer
from apps.core.center import Center
from apps.core.config import QueueConfig
from apps.core.queues import offers

LONGEST_MS = 4_000
"""Three seconds of whisper and what a switch needs to begin; then the two are connected regardless."""


def begin(center: Center, call: Call, leg: Leg) -> bool:
    """False when there is nothing to say."""
    offer = call.offers.get(leg.id)
    queue = center.queue_config(offer.queue if offer is not None else None)
    sounds = _sounds(queue, leg) if queue is not None else ()
    if offer is None or not sounds:
        return False
    play = center.mint.play()
    center.emit(
        f.WhisperStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=offer.agent,
            leg=leg.id,
            play=play,
            deadline_ms=center.now_ms + LONGEST_MS,
        )
    )
    center.send(c.PlayPrompts(switch=leg.switch, leg=leg.id, play=play, sounds=sounds, barge=False))
    return True


def _sounds(queue: QueueConfig, leg: Leg) -> tuple[str, ...]:
    """On a line that is kept open somebody always comes without being asked."""
    if leg.lent is not None:
        return (c.BEEP, *queue.whisper_sounds)
    return queue.whisper_sounds if queue.auto_answer else ()


def said(center: Center, call: Call, offer: Offer) -> None:
    """It is over, or took too long."""
    if offer.leg in call.legs:
        offers.end_offer(center, call, offer, f.OfferOutcome.ANSWERED)
        connect(center, call, call.legs[offer.leg])


def connect(center: Center, call: Call, leg: Leg) -> None:
    """Who has answered: to the agent who asks, or to the caller."""
    if call.consult is not None:
        consulting.answered(center, call, leg)
    else:
        attempts.connect(center, call, leg.id)
