"""Prompts and music as the core wants them: one thing at a time on a leg, music as a lease that is renewed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.core import commands, events
from apps.core.ids import LegId, PlayId, SwitchId
from apps.switches.simulator.channel import Channel, Message
from apps.switches.simulator.model import Switch

MUSIC_LEASE_MS = 20_000
BEEP_STREAM = "tone_stream://%(200,50,800)"


@dataclass(slots=True)
class _Playing:
    """What a leg was last asked to play; ``play`` is None for music."""

    play: PlayId | None
    message_uuid: str
    music: str = ""
    started: bool = False
    stopped: bool = False


class Player:
    def __init__(self, switch: SwitchId, model: Switch, tell: Callable[[events.SwitchEvent], None]) -> None:
        self.switch = switch
        self.model = model
        self._tell = tell
        self._playing: dict[str, _Playing] = {}
        self._counter = 0

    def forget(self, uuid: str) -> None:
        self._playing.pop(uuid, None)

    # --- commands -----------------------------------------------------------------------------------------------

    def play(self, command: commands.Command) -> None:
        assert isinstance(command, commands.PlayPrompts)
        channel = self.model.find(command.leg)
        if channel is None:
            self._say_played(command.leg, command.play, events.PlayOutcome.FAILED)
            return
        self._silence(channel)
        sounds = [BEEP_STREAM if sound == commands.BEEP else sound for sound in command.sounds]
        sound = sounds[0] if len(sounds) == 1 else "file_string://" + "!".join(sounds)
        self._send(channel, _Playing(command.play, command.play), sound, command.barge)

    def stop(self, command: commands.Command) -> None:
        channel = self.model.find(command.leg)
        if channel is not None:
            self._silence(channel)

    def music(self, command: commands.Command) -> None:
        assert isinstance(command, commands.StartMusic)
        channel = self.model.find(command.leg)
        if channel is not None:
            self._silence(channel)
            self._lease_music(channel, command.music)

    def _silence(self, channel: Channel) -> None:
        """Stop what plays; what was asked for and has not begun is over as well. Queued answers stay queued."""
        playing = self._playing.get(channel.uuid)
        if playing is None:
            return
        if playing.started:
            self.model.executor.stop_media(channel)
            return
        del self._playing[channel.uuid]
        for message in [m for m in channel.inbox if m.uuid == playing.message_uuid]:
            channel.inbox.remove(message)
        if playing.play is not None:
            self._say_played(channel.uuid, playing.play, events.PlayOutcome.STOPPED)

    def _send(self, channel: Channel, playing: _Playing, sound: str, barge: bool) -> None:
        self._playing[channel.uuid] = playing
        channel.variables["playback_terminators"] = "any" if barge else "none"
        self.model.executor.send(channel, Message("playback", sound, playing.message_uuid, locked=True))

    def _lease_music(self, channel: Channel, music: str) -> None:
        self._counter += 1
        sound = f"{{timeout={MUSIC_LEASE_MS}}}local_stream://{music}"
        self._send(channel, _Playing(None, f"music-{self._counter}", music), sound, barge=False)

    # --- happenings ---------------------------------------------------------------------------------------------

    def started(self, channel: Channel, headers: dict[str, str]) -> None:
        playing = self._playing.get(channel.uuid)
        if playing is not None and playing.message_uuid == headers.get("Application-UUID"):
            playing.started = True

    def play_stopped(self, channel: Channel, headers: dict[str, str]) -> None:
        playing = self._playing.get(channel.uuid)
        if playing is not None and playing.started and headers["Playback-Status"] == "break":
            playing.stopped = True

    def completed(self, channel: Channel, headers: dict[str, str]) -> None:
        playing = self._playing.get(channel.uuid)
        if playing is None or playing.message_uuid != headers.get("Application-UUID"):
            return
        del self._playing[channel.uuid]
        response = headers["Application-Response"]
        if playing.play is not None:
            self._say_played(channel.uuid, playing.play, _outcome(playing, response))
        elif channel.alive and not playing.stopped and response == "FILE PLAYED":
            self._lease_music(channel, playing.music)  # the lease ran out and nobody asked for anything else

    def _say_played(self, uuid: str, play: PlayId, outcome: events.PlayOutcome) -> None:
        self._tell(events.PlayEnded(switch=self.switch, leg=LegId(uuid), play=play, outcome=outcome))


def _outcome(playing: _Playing, response: str) -> events.PlayOutcome:
    if response == "FILE NOT FOUND":
        return events.PlayOutcome.FAILED
    if playing.stopped or response != "FILE PLAYED":
        return events.PlayOutcome.STOPPED
    return events.PlayOutcome.DONE
