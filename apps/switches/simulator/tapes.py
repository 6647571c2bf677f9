"""Recordings as the core wants them: asked for by id, told of by id; the model knows a leg and a path."""

from __future__ import annotations

from collections.abc import Callable

from apps.core import commands, events
from apps.core.ids import LegId, RecordingId, SwitchId
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.model import Switch


class Tapes:
    def __init__(self, switch: SwitchId, model: Switch, tell: Callable[[events.SwitchEvent], None]) -> None:
        self.switch = switch
        self.model = model
        self._tell = tell
        self._asked: dict[tuple[str, str], RecordingId] = {}  # by leg and path

    # --- commands -----------------------------------------------------------------------------------------------

    def start(self, command: commands.Command) -> None:
        assert isinstance(command, commands.StartRecording)
        channel = self.model.find(command.leg)
        self._asked[command.leg, command.path] = command.recording
        reply = self.model.recorder.start(self.model, channel, command.path) if channel else "-ERR no such leg"
        if reply.startswith("-"):
            del self._asked[command.leg, command.path]
            event = events.RecordingFailed(
                switch=self.switch, leg=command.leg, recording=command.recording, reason=reply.strip()
            )
            self._tell(event)

    def stop(self, command: commands.Command) -> None:
        assert isinstance(command, commands.StopRecording)
        channel = self.model.find(command.leg)
        if channel is not None:
            self.model.recorder.stop(self.model, channel, command.path)

    def mask(self, command: commands.Command) -> None:
        assert isinstance(command, commands.MaskRecording)
        channel = self.model.find(command.leg)
        reply = self.model.recorder.mask(self.model, channel, command.path, True) if channel is not None else "-ERR"
        if reply.startswith("+OK"):
            self._tell(events.RecordingMasked(switch=self.switch, leg=command.leg, recording=command.recording))

    def unmask(self, command: commands.Command) -> None:
        """What is not recorded any more is not masked either."""
        assert isinstance(command, commands.UnmaskRecording)
        channel = self.model.find(command.leg)
        if channel is not None:
            self.model.recorder.mask(self.model, channel, command.path, False)
        self._tell(events.RecordingUnmasked(switch=self.switch, leg=command.leg, recording=command.recording))

    # --- happenings ---------------------------------------------------------------------------------------------

    def started(self, channel: Channel, headers: dict[str, str]) -> None:
        recording = self._asked.get((channel.uuid, headers["Record-File-Path"]))
        if recording is not None:
            self._tell(events.RecordingStarted(switch=self.switch, leg=LegId(channel.uuid), recording=recording))

    def stopped(self, channel: Channel, headers: dict[str, str]) -> None:
        recording = self._asked.pop((channel.uuid, headers["Record-File-Path"]), None)
        if recording is not None:
            length_ms = int(channel.variables.get("record_ms", "0"))
            leg = LegId(channel.uuid)
            self._tell(events.RecordingStopped(switch=self.switch, leg=leg, recording=recording, duration_ms=length_ms))
