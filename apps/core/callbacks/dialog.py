"""By keys: do you want to be called back, and on which number? In the queue the caller stays in line meanwhile.

1 confirms, 2 asks for another number (ended by #), * goes on as before. Who says nothing goes on as before as well.
"""

from __future__ import annotations

from dataclasses import replace

from apps.core import commands as c
from apps.core import facts as f
from apps.core.callbacks import booking, readiness
from apps.core.callbacks.model import CallbackDialog, CallbackSource, DialogPhase
from apps.core.calls import closing, lines
from apps.core.calls.model import Call, CallState
from apps.core.center import Center
from apps.core.config import SkillNeed
from apps.core.ids import QueueId
from apps.core.ivr import runs
from apps.core.queues import announcements, offers

CONFIRM, ANOTHER, GO_ON, DONE = "1", "2", "*", "#"
FIRST_KEY_MS = 8_000
NEXT_KEY_MS = 5_000
MOST_TRIES = 3
LONGEST_NUMBER = 20
DECLINED = "declined"


def offered(center: Center, call: Call, key: str) -> bool:
    """A key pressed while waiting. True: it is the queue's for a call back."""
    wait = call.wait
    offer = booking.offer_of(center.queue_config(wait.queue if wait is not None else None))
    if wait is None or offer is None or key != offer.key or call.callback is not None:
        return False
    if wait.wanted_agent is not None:
        return False
    if wait.play is not None:
        announcements.end(center, call, wait.play)
    place = booking.Place(queue=wait.queue, needs=wait.needs, priority=wait.priority, queued_ms=wait.queued_ms)
    _begin(center, call, place, CallbackSource.QUEUE)
    return True


def from_flow(center: Center, call: Call, queue: QueueId, needs: tuple[SkillNeed, ...]) -> bool:
    """False: this queue makes no calls back. Who waited there before gets the place that was left."""
    config = center.queue_config(queue)
    if config is None or config.tenant != call.tenant or booking.offer_of(config) is None or call.callback is not None:
        return False
    closing.answer(center, call)
    left_ms = call.last_queued_ms if call.last_queue == queue else None
    queued_ms = left_ms if left_ms is not None else center.now_ms
    place = booking.Place(queue=queue, needs=needs, priority=config.priority, queued_ms=queued_ms)
    _begin(center, call, place, CallbackSource.FLOW)
    return True


def _begin(center: Center, call: Call, place: booking.Place, source: CallbackSource) -> None:
    known = call.caller_number if lines.number_problem(center, call.tenant, call.caller_number) is None else ""
    dialog = CallbackDialog(
        phase=DialogPhase.CONFIRM if known else DialogPhase.NUMBER, source=source, queue=place.queue,
        needs=place.needs, priority=place.priority, queued_ms=place.queued_ms, number=known,
    )  # fmt: skip
    _ask(center, call, dialog)


# --- what the caller does --------------------------------------------------------------------------------------------


def pressed(center: Center, call: Call, key: str) -> None:
    dialog = call.dialog
    if dialog is None:
        return
    if dialog.phase is DialogPhase.NUMBER:
        _typed(center, call, dialog, key)
    elif key == CONFIRM:
        _confirmed(center, call, dialog)
    elif key == ANOTHER:
        _ask(center, call, replace(dialog, phase=DialogPhase.NUMBER, typed="", tries=0))
    elif key == GO_ON:
        _leave(center, call, DECLINED)
    else:
        _again(center, call, dialog)


def _typed(center: Center, call: Call, dialog: CallbackDialog, key: str) -> None:
    if key == GO_ON and not dialog.typed:
        _leave(center, call, DECLINED)
    elif key == GO_ON:
        _ask(center, call, replace(dialog, typed=""))
    elif key == DONE:
        _number_given(center, call, dialog)
    elif key.isdecimal() and len(dialog.typed) < LONGEST_NUMBER:
        following = replace(dialog, typed=dialog.typed + key, play=None, deadline_ms=center.now_ms + NEXT_KEY_MS)
        _emit(center, call, following)


def _number_given(center: Center, call: Call, dialog: CallbackDialog) -> None:
    if lines.number_problem(center, call.tenant, dialog.typed) is None:
        _ask(center, call, replace(dialog, phase=DialogPhase.CONFIRM, number=dialog.typed, typed="", tries=0))
    else:
        _again(center, call, replace(dialog, typed=""), "callback.invalid")


def _confirmed(center: Center, call: Call, dialog: CallbackDialog) -> None:
    offer = booking.offer_of(center.queue_config(dialog.queue))
    if offer is None:  # switched off meanwhile
        _leave(center, call, "error")
    elif readiness.open_callback(center.state, call.tenant, dialog.queue, dialog.number) is not None:
        _leave(center, call, DECLINED, "callback.already")
    else:
        place = booking.Place(
            queue=dialog.queue, needs=dialog.needs, priority=dialog.priority, queued_ms=dialog.queued_ms
        )
        booking.book(center, call, place, offer, dialog.number, dialog.source)


def played(center: Center, call: Call) -> None:
    """The prompt is over: now the caller has so long for a key."""
    if call.dialog is not None:
        _emit(center, call, replace(call.dialog, play=None, deadline_ms=center.now_ms + FIRST_KEY_MS))


def overdue(center: Center, call: Call) -> None:
    dialog = call.dialog
    if dialog is None:
        return
    if dialog.play is not None:
        played(center, call)  # nobody said that it is over
    elif dialog.typed:
        _number_given(center, call, dialog)
    else:
        _again(center, call, dialog)


# --- asking ----------------------------------------------------------------------------------------------------------


def began_before(call: Call, at_ms: int) -> bool:
    """A question is being said, as far as we know, and was so before ``at_ms``."""
    return call.dialog is not None and call.dialog.play is not None and call.dialog.asked_ms < at_ms


def ask_anew(center: Center, call: Call) -> None:
    """After a gap in control: what was being said may have been lost with it."""
    if call.dialog is not None:
        _ask(center, call, call.dialog)


def _again(center: Center, call: Call, dialog: CallbackDialog, first: str = "") -> None:
    if dialog.tries + 1 >= MOST_TRIES:
        _leave(center, call, DECLINED)
    else:
        _ask(center, call, replace(dialog, tries=dialog.tries + 1), first)


def _ask(center: Center, call: Call, dialog: CallbackDialog, first: str = "") -> None:
    sounds = announcements.phrase(center, call.lang, first) if first else ()
    if dialog.phase is DialogPhase.NUMBER:
        sounds += announcements.phrase(center, call.lang, "callback.number")
    else:
        digits = (announcements.phrase(center, call.lang, f"digit.{digit}") for digit in dialog.number)
        sounds += announcements.phrase(center, call.lang, "callback.confirm")
        sounds += tuple(sound for files in digits for sound in files)
        sounds += announcements.phrase(center, call.lang, "callback.keys")
    play = center.mint.play() if sounds else None
    within_ms = center.state.config.lasts_ms(sounds) + announcements.GRACE_MS if sounds else FIRST_KEY_MS
    _emit(center, call, replace(dialog, play=play, asked_ms=center.now_ms, deadline_ms=center.now_ms + within_ms))
    if play is not None:
        center.send(c.PlayPrompts(switch=call.switch, leg=call.leg, play=play, sounds=sounds, barge=True))


def _leave(center: Center, call: Call, port: str, said: str = "") -> None:
    """No call back: on with the music, or with the flow."""
    source = call.dialog.source if call.dialog is not None else CallbackSource.QUEUE
    _emit(center, call, None)
    if source is CallbackSource.FLOW and call.state is CallState.IVR:
        if not runs.resume(center, call, port):
            closing.close(center, call, f.CallOutcome.SELF_SERVED)
    elif call.state is CallState.WAITING:
        sounds = announcements.phrase(center, call.lang, said) if said else ()
        if sounds:
            announcements.say(center, call, [("callback", sounds)])
        else:
            center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=offers.music_of(center, call)))


def _emit(center: Center, call: Call, dialog: CallbackDialog | None) -> None:
    center.emit(f.CallbackDialogStepped(at_ms=center.now_ms, tenant=call.tenant, call=call.id, dialog=dialog))
