"""Legs that the core dials: from the command to the parked leg or to its end, whatever comes between.

A leg may be cancelled before the switch has a channel for it: then it is hung up as soon as there is one.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.core import commands, events
from apps.core.ids import LegId, SwitchId
from apps.switches.simulator import causes, consults, originate
from apps.switches.simulator.channel import Channel, Job
from apps.switches.simulator.model import Switch

JOB_TAKES_MS = 3
CANCEL_TAKES_MS = 1


class Dialler:
    def __init__(self, switch: SwitchId, model: Switch, tell: Callable[[events.SwitchEvent], None]) -> None:
        self.switch = switch
        self.model = model
        self._tell = tell
        self._originating: set[str] = set()
        self._dialled_now: set[str] = set()  # legs that we dialled, until they have first parked
        self._cancelled: dict[str, str] = {}

    def link_lost(self) -> None:
        """No answer to an ``originate`` comes any more."""
        self._originating.clear()

    # --- commands -----------------------------------------------------------------------------------------------

    def originate(self, command: commands.Command) -> None:
        assert isinstance(command, commands.OriginateLeg)
        device = command.destination.kind is commands.DestinationKind.DEVICE
        variables = {
            "origination_uuid": command.leg,
            "originate_timeout": str(max(1, command.ring_timeout_ms // 1000)),
            "origination_caller_id_number": command.caller_number,
            "origination_caller_id_name": command.caller_name,
            "trunkline_call": command.call,
            "trunkline_tenant": command.tenant,
            "trunkline_role": command.role,
            "trunkline_agent": command.agent or "",
            "park_timeout": "" if command.kept_open else str(max(1, command.idle_timeout_ms // 1000)),
            "park_after_bridge": "true" if command.kept_open else "",
            "trunkline_kept": "true" if command.kept_open else "",
            "sip_auto_answer": "true" if command.auto_answer else "",
        }
        dial = originate.DialString(
            variables={name: value for name, value in variables.items() if value},
            endpoint="user" if device else "gateway",
            profile=self.model.profiles[-1] if device else command.destination.gateway,
            address=command.destination.address,
            application=("park", ""),
        )
        self._originating.add(command.leg)
        self._dialled_now.add(command.leg)
        job = Job(command.leg, "originate", "")
        self.model.clock.after(JOB_TAKES_MS, lambda: originate.launch(self.model, dial, job))

    def hang_up(self, command: commands.Command) -> None:
        assert isinstance(command, commands.HangUpLeg)
        channel = self.model.channels.get(command.leg)
        if channel is not None:
            self.model.hang_up(channel, causes.encode(command.cause))
        elif command.leg in self._originating:
            self._cancelled[command.leg] = causes.encode(command.cause)
        else:
            event = events.LegHungUp(switch=self.switch, leg=command.leg, cause=events.HangupCause.LOST)
            self._tell(event)

    # --- happenings ---------------------------------------------------------------------------------------------

    def created(self, channel: Channel, headers: dict[str, str]) -> None:
        cause = self._cancelled.pop(channel.uuid, "")
        if cause:
            self.model.clock.after(CANCEL_TAKES_MS, lambda: self.model.hang_up(channel, cause))

    def parked(self, channel: Channel, headers: dict[str, str]) -> None:
        if channel.direction == "outbound" and (not consults.is_customer(channel) or channel.uuid in self._dialled_now):
            self._originating.discard(channel.uuid)
            self._dialled_now.discard(channel.uuid)
            self._tell(events.LegParked(switch=self.switch, leg=LegId(channel.uuid)))

    def hung_up(self, channel: Channel, headers: dict[str, str]) -> None:
        self._originating.discard(channel.uuid)
        self._dialled_now.discard(channel.uuid)
        self._say_gone(channel.uuid, channel.hangup_cause)

    def _say_gone(self, uuid: str, raw: str) -> None:
        self._tell(events.LegHungUp(switch=self.switch, leg=LegId(uuid), cause=causes.decode(raw), raw=raw))

    def job_answered(self, headers: dict[str, str]) -> None:
        uuid, reply = headers["Job-UUID"], headers["_body"]
        if uuid in self._originating and reply.startswith("-"):
            self._originating.discard(uuid)
            self._cancelled.pop(uuid, None)
            self._say_gone(uuid, reply.split()[1] if reply.startswith("-ERR ") else "ERROR")
