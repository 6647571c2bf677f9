"""Prompts and music on a leg: one wanted thing, at most one running application, and the way from one to the other.

* Music is a lease: ``playback {timeout=…}local_stream://…``, asked for again on its CHANNEL_EXECUTE_COMPLETE. Nothing
  runs unbounded, because the switch notices a dead engine only when no application runs. **live**
* Every ``PlayPrompts`` ends in exactly one ``PlayEnded``. What we stop or replace ends as STOPPED at once, without
  waiting for the switch; the application's late completion is then nobody's (its token is forgotten).
* Nothing is played before ``uuid_answer`` has been replied to: it would be early media.
* A late break cannot hit the next application: its start clears the flag (switch_core_session.c, CF_BREAK).
* A customer leg between a ``uuid_bridge`` and its return takes no application: one sent in the gap, after the agent
  died, made the switch hang up the caller on ``uuid_transfer``. **live**
* A bridge completes music with ``PLAYBACK ERROR``: no error. **live**
* A key that ends a prompt may be reported after the prompt's completion: the end is held back up to 150 ms for it, so
  that the core always sees the key first, and once.
"""

from __future__ import annotations

import logging

from apps.core.commands import PlayPrompts
from apps.core.events import LegAnswered, PlayEnded, PlayOutcome
from apps.switches.freeswitch import clean, decode, encode
from apps.switches.freeswitch.legs import Leg
from apps.switches.freeswitch.ports import Context

log = logging.getLogger(__name__)

KEY_WAIT_MS = 150
LEASE_GRACE_MS = 5_000
QUICK_FAILURE_MS = 1_000


class MediaControl:
    def __init__(self, context: Context) -> None:
        self._settings = context.settings
        self._ports = context.ports

    # --- what the core asks for ---

    def answer(self, leg: Leg) -> None:
        leg.media.answering = True
        self._ports.send(encode.answer(leg.leg), lambda reply: self._answered(leg, reply))

    def play(self, leg: Leg, prompts: PlayPrompts) -> None:
        self._give_up_play(leg, PlayOutcome.STOPPED)
        leg.media.music = ""
        leg.media.play = prompts
        leg.media.keys = 0
        if not prompts.sounds:
            self._end_play(leg, PlayOutcome.DONE)
            self._silence(leg)
            return
        self._begin(leg)

    def music(self, leg: Leg, name: str) -> None:
        clean.ident(name)
        if leg.media.music == name and leg.media.token:
            return
        self._give_up_play(leg, PlayOutcome.STOPPED)
        leg.media.music = name
        leg.media.music_failed = False
        self._begin(leg)

    def stop(self, leg: Leg) -> None:
        self._give_up_play(leg, PlayOutcome.STOPPED)
        leg.media.music = ""
        self._silence(leg)

    # --- what the switch reports ---

    def completed(self, leg: Leg, headers: decode.Headers) -> None:
        """CHANNEL_EXECUTE_COMPLETE of any application on this leg."""
        token = decode.token(headers)
        media = leg.media
        if token and token == media.token:
            media.token = ""
            response = decode.field(headers, "Application-Response")
            if media.play is not None:
                self._play_completed(
                    leg, response == "FILE PLAYED", decode.field(headers, "variable_playback_terminator_used")
                )
            elif media.music:
                self._lease_completed(leg, response)

    def key_reported(self, leg: Leg) -> None:
        """A DigitPressed has just been emitted."""
        leg.media.keys += 1
        if leg.media.held is not None:
            self._end_play(leg, leg.media.held)

    def taken_away(self, leg: Leg) -> None:
        """The leg was bridged, transferred or hung up: whatever ran on it is over, and nothing is wanted now."""
        self._give_up_play(leg, PlayOutcome.STOPPED)
        leg.media.music = ""
        leg.media.token = ""
        leg.media.answering = False

    def free(self, leg: Leg) -> None:
        """No bridge after all, or out of one: what that has ended or put off begins."""
        if (leg.media.music or leg.media.play is not None) and not leg.media.token:
            self._begin(leg)

    def tick(self, leg: Leg) -> None:
        """A lease whose completion got lost is asked for again."""
        media = leg.media
        overdue = self._settings.music_lease_ms + LEASE_GRACE_MS
        if media.music and media.token and self._ports.now_ms() - media.asked_ms > overdue:
            media.token = ""
            self._begin(leg)

    # --- inside ---

    def _begin(self, leg: Leg) -> None:
        """Bring about what is wanted, instead of what runs."""
        media = leg.media
        if media.answering or leg.away:
            return
        self._silence(leg)
        token = self._ports.token()
        try:
            frame, terminators = self._wanted(leg, token)
        except clean.Unsafe as error:
            log.warning("leg %s cannot be played to: %s", leg.leg, error)
            self._give_up_play(leg, PlayOutcome.FAILED)
            return
        if terminators and media.terminators != terminators:
            media.terminators = terminators
            self._ports.send(encode.set_variables(leg.leg, {"playback_terminators": terminators}))
        media.token = token
        media.asked_ms = self._ports.now_ms()
        self._ports.send(frame, lambda reply: self._replied(leg, token, reply))

    def _wanted(self, leg: Leg, token: str) -> tuple[bytes, str]:
        """And the playback_terminators it needs. To music they are all one: a key that ends it has it begin again."""
        play, lease_ms = leg.media.play, self._settings.music_lease_ms
        if play is not None:
            frame = encode.play(leg.leg, play.sounds, self._settings.sounds_dir, token)
            return frame, "any" if play.barge else "none"
        if leg.media.music_failed:
            return encode.silence(leg.leg, lease_ms, token), ""
        return encode.music(leg.leg, leg.media.music, lease_ms, token), ""

    def _silence(self, leg: Leg) -> None:
        if leg.media.token:
            leg.media.token = ""
            self._ports.send(encode.stop_media(leg.leg))

    def _replied(self, leg: Leg, token: str, reply: str) -> None:
        """``+OK`` says only that the switch will try; an ``-ERR`` that there is no such leg."""
        if reply.startswith("-") and leg.media.token == token:
            leg.media.token = ""
            leg.media.music = ""
            self._give_up_play(leg, PlayOutcome.FAILED)

    def _answered(self, leg: Leg, reply: str) -> None:
        """``+OK`` when it is done. An error: the leg is gone, or the far end's media do not fit, which ends it."""
        leg.media.answering = False
        if reply.startswith("+OK") and not leg.answered:
            leg.answered = True
            self._ports.emit(LegAnswered(switch=self._settings.switch, leg=leg.leg))
        if (leg.media.play is not None or leg.media.music) and not leg.media.token:
            self._begin(leg)

    def _play_completed(self, leg: Leg, played: bool, terminator: str) -> None:
        if terminator and leg.media.keys == 0:
            leg.media.held = PlayOutcome.STOPPED
            play = leg.media.play
            self._ports.later(KEY_WAIT_MS, lambda: self._key_overdue(leg, play))
        elif terminator or leg.away or leg.gone is not None:
            self._end_play(leg, PlayOutcome.STOPPED)
        else:
            self._end_play(leg, PlayOutcome.DONE if played else PlayOutcome.FAILED)

    def _key_overdue(self, leg: Leg, play: PlayPrompts | None) -> None:
        if leg.media.held is not None and leg.media.play is play:
            self._end_play(leg, leg.media.held)

    def _lease_completed(self, leg: Leg, response: str) -> None:
        """Renew it. One that ended early was cut off (the leg is being moved) or cannot be played at all."""
        media = leg.media
        if leg.away or leg.gone is not None:
            return
        if response == "FILE PLAYED" or self._ports.now_ms() - media.asked_ms >= QUICK_FAILURE_MS:
            media.music_failed = False
            self._begin(leg)
            return
        if response == "FILE NOT FOUND":
            log.error("music %r is not there for %s: silence instead", media.music, leg.leg)
            media.music_failed = True
        self._ports.later(QUICK_FAILURE_MS, lambda: self._begin_if_idle(leg))

    def _begin_if_idle(self, leg: Leg) -> None:
        if leg.media.music and not leg.media.token and leg.gone is None:
            self._begin(leg)

    def _give_up_play(self, leg: Leg, outcome: PlayOutcome) -> None:
        """End the prompt that is wanted, if there is one; what runs is left to the caller."""
        if leg.media.play is not None:
            self._end_play(leg, outcome)

    def _end_play(self, leg: Leg, outcome: PlayOutcome) -> None:
        play = leg.media.play
        leg.media.play = None
        leg.media.held = None
        if play is not None:
            self._ports.emit(PlayEnded(switch=self._settings.switch, leg=leg.leg, play=play.play, outcome=outcome))
