"""What somebody hears who waits: comfort messages, the place in line, the wait to expect. Music in between.

An announcement changes nothing about the place: whoever stands in line is offered while it runs, and the bridge to the
agent cuts it short.
"""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import QueueLife, Spoken
from apps.core.ids import PlayId
from apps.core.queues import offers
from apps.core.queues.announcement_times import comfort_ms, life_of, tell_ms

TOGETHER_MS = 10_000
"""What would be due this soon is said along with what is due now: callers are not spoken to twice in a row."""
GRACE_MS = 3_000
"""So long after it should be, an announcement whose end nobody reports is over."""
MINUTE_MS = 60_000
MOST_MINUTES = 60
FURTHEST_PLACE = 99
Parts = list[tuple[str, tuple[str, ...]]]
"""What is said, by name, with its sound files."""


def speak(center: Center, call: Call) -> None:
    """Everything that is due, or nearly, in one go. What has no sound counts as said."""
    wait, life = call.wait, life_of(center.state, call)
    if wait is None or life is None:
        return
    until_ms = center.now_ms + TOGETHER_MS
    ahead = center.ahead_of(call) or 0
    estimate_ms = center.expected_ms(wait.queue, ahead)
    parts: Parts = []
    tell_due_ms, comfort_due_ms = tell_ms(life, wait), comfort_ms(life, wait)
    if tell_due_ms is not None and tell_due_ms <= until_ms:
        parts += _place(center, call, life, ahead, estimate_ms)
    if comfort_due_ms is not None and comfort_due_ms <= until_ms:
        parts.append(("comfort", in_language(life.comfort[wait.comforts % len(life.comfort)], call.lang)))
    say(center, call, parts, position=ahead + 1, estimate_ms=estimate_ms)


def say(
    center: Center, call: Call, parts: Parts, *, position: int | None = None, estimate_ms: int | None = None
) -> None:
    """One part after the other, instead of the music."""
    sounds = tuple(sound for _, files in parts for sound in files)
    play = center.mint.play()
    center.emit(
        f.AnnouncementStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            play=play,
            parts=tuple(name for name, _ in parts),
            deadline_ms=center.now_ms + center.state.config.lasts_ms(sounds) + GRACE_MS,
            position=position,
            estimate_ms=estimate_ms,
        )
    )
    if sounds:
        center.send(c.PlayPrompts(switch=call.switch, leg=call.leg, play=play, sounds=sounds, barge=False))
    else:
        end(center, call, play)


def over(center: Center, call: Call) -> None:
    """Said, cut off, or never reported: music again."""
    if call.wait is not None and call.wait.play is not None:
        end(center, call, call.wait.play)
        center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=offers.music_of(center, call)))


def end(center: Center, call: Call, play: PlayId) -> None:
    center.emit(f.AnnouncementEnded(at_ms=center.now_ms, tenant=call.tenant, call=call.id, play=play))


# --- words -----------------------------------------------------------------------------------------------------------


def in_language(spoken: Spoken, lang: str) -> tuple[str, ...]:
    """Of who has chosen none, or one in which there is no recording: the company's first."""
    return spoken.get(lang) or next(iter(spoken.values()), ())


def phrase(center: Center, lang: str, name: str, number: int | str | None = None) -> tuple[str, ...]:
    """What we say by ourselves, with a number where it has one; a phrase of the number's own (``wait.2``) comes first.

    Nothing where it was never recorded, or for a number too large to be.
    """
    config = center.state.config
    langs = [known for known in (lang, *config.phrases) if name in config.phrases.get(known, {})]
    if not langs:
        return ()
    phrases = config.phrases[langs[0]]
    files = phrases.get(f"{name}.{number}") or phrases[name]
    if "#" not in files:
        return files
    spoken = config.numbers.get(langs[0], {}).get(str(number))
    return tuple(item for file in files for item in (spoken if file == "#" else (file,))) if spoken else ()


def _place(center: Center, call: Call, life: QueueLife, ahead: int, estimate_ms: int | None) -> Parts:
    parts: Parts = [("position" if life.tell_position else "wait", ())]  # told, even where nothing can be said
    if life.tell_position:
        name = "position" if ahead < FURTHEST_PLACE else "position.far"
        parts.append(("position", phrase(center, call.lang, name, ahead + 1)))
    if life.tell_wait and estimate_ms is not None:
        parts.append(("wait", _wait_phrase(center, call.lang, estimate_ms)))
    offer = life.callback
    if offer is not None and offer.key and call.callback is None and (estimate_ms or 0) >= offer.from_wait_ms:
        parts.append(("callback", phrase(center, call.lang, "callback.offer", offer.key)))
    return parts


def _wait_phrase(center: Center, lang: str, estimate_ms: int) -> tuple[str, ...]:
    """In whole minutes, rounded up: nobody minds to be served sooner."""
    minutes = -(-estimate_ms // MINUTE_MS)
    if minutes <= 1:
        return phrase(center, lang, "wait.minute")
    return phrase(center, lang, "wait" if minutes <= MOST_MINUTES else "wait.long", minutes)
