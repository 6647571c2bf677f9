"""Face one: the model as a ``SwitchDriver``, in process and in virtual time, for seeded simulation.

It does what the FreeSWITCH driver does on the real thing (leases, tombstones), so the core sees the
same events in the same order. The host moves time by ``run_until``; nothing here is real time.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.core import commands, events
from apps.core.ids import CallId, LegId, SwitchId, TrunkId
from apps.switches.base import Emit
from apps.switches.simulator import consults, sockets
from apps.switches.simulator.channel import Channel, Message
from apps.switches.simulator.dialling import Dialler
from apps.switches.simulator.dialplan import ARRIVAL, CONTEXT
from apps.switches.simulator.lookout import Lookout
from apps.switches.simulator.model import Switch
from apps.switches.simulator.playing import Player
from apps.switches.simulator.rooms import is_in_room
from apps.switches.simulator.snapshot import snapshot
from apps.switches.simulator.tapes import Tapes

COMMAND_TAKES_MS = 1
SNAPSHOT_TAKES_MS = 5
STRANDED_MS = 900


class SimulatorDriver:
    def __init__(self, switch: SwitchId, model: Switch, trunks: dict[str, TrunkId] | None = None) -> None:
        self.switch = switch
        self.model = model
        self.trunks = trunks or {}
        self.link_up = False
        self._accepting = True
        self._emit: Emit | None = None
        self._dialler = Dialler(switch, model, self._tell)
        self._player = Player(switch, model, self._tell)
        self._tapes = Tapes(switch, model, self._tell)
        self._stranded: dict[str, int] = {}  # leg -> when it was first seen to wait for another engine
        self._lookout = Lookout(model, self, self.request_snapshot)
        model.dial = self._dialled
        model.listeners.append(self._heard)
        self._on: dict[str, Callable[[Channel, dict[str, str]], None]] = {
            "CHANNEL_CREATE": self._dialler.created,
            "CHANNEL_PROGRESS": self._ringing,
            "CHANNEL_ANSWER": self._answered,
            "CHANNEL_PARK": self._dialler.parked,
            "CHANNEL_BRIDGE": self._bridged,
            "CHANNEL_UNBRIDGE": self._unbridged,
            "CHANNEL_HOLD": self._held,
            "CHANNEL_UNHOLD": self._unheld,
            "CHANNEL_HANGUP": self._hung_up,
            "CHANNEL_EXECUTE": self._player.started,
            "CHANNEL_EXECUTE_COMPLETE": self._player.completed,
            "PLAYBACK_STOP": self._player.play_stopped,
            "DTMF": self._digit,
            "CUSTOM": self._room_changed,
            "RECORD_START": self._tapes.started,
            "RECORD_STOP": self._tapes.stopped,
        }
        self._do: dict[type[commands.Command], Callable[[commands.Command], None]] = {
            commands.OriginateLeg: self._dialler.originate,
            commands.TagLeg: self._tag,
            commands.AnswerLeg: self._answer,
            commands.AnswerDevice: self._answer_device,
            commands.HangUpLeg: self._dialler.hang_up,
            commands.ParkLeg: self._park,
            commands.BridgeLegs: self._bridge,
            commands.PartLegs: self._part,
            commands.JoinRoom: self._join_room,
            commands.PlayPrompts: self._player.play,
            commands.StopPlay: self._player.stop,
            commands.StartMusic: self._player.music,
            commands.HoldLeg: self._hold,
            commands.UnholdLeg: self._unhold,
            commands.MuteLeg: self._mute,
            commands.UnmuteLeg: self._unmute,
            commands.SendDigits: self._send_digits,
            commands.MaskRecording: self._tapes.mask,
            commands.UnmaskRecording: self._tapes.unmask,
            commands.StartRecording: self._tapes.start,
            commands.StopRecording: self._tapes.stop,
            commands.ReclaimLeg: self._reclaim,
            commands.RequestSnapshot: self._snapshot,
            commands.CompareLegs: self._compare,
        }

    # --- SwitchDriver -------------------------------------------------------------------------------------------

    def start(self, emit: Emit) -> None:
        self._emit = emit
        self.connect()
        self._plan_drop()

    def execute(self, command: commands.Command) -> None:
        """Runs a millisecond later, so that an event's handler never meets the event it causes."""
        if self.link_up:
            self.model.clock.after(COMMAND_TAKES_MS, lambda: self._execute(command))

    def request_snapshot(self) -> None:
        if self.link_up:
            self.model.clock.after(SNAPSHOT_TAKES_MS, self._report_snapshot)

    def accept_calls(self, accept: bool) -> None:
        self._accepting = accept

    def stop(self) -> None:
        self.link_up = False
        self._accepting = False
        self._emit = None
        self._let_go()

    # --- time and the link --------------------------------------------------------------------------------------

    def run_until(self, now_ms: int) -> None:
        self.model.clock.run_until(now_ms)

    def next_due_ms(self) -> int | None:
        return self.model.clock.next_due_ms()

    def connect(self) -> None:
        self.link_up = True
        self._send(events.LinkUp(switch=self.switch, boot=self.model.core_uuid))

    def drop_link(self, reason: str = "connection lost") -> None:
        """From here on events are lost and commands go nowhere, until ``connect``. Arrival sockets stay as they are."""
        if self.link_up:
            self.link_up = False
            self._dialler.link_lost()
            self._send(events.LinkDown(switch=self.switch, reason=reason))

    def _plan_drop(self) -> None:
        delay_ms = self.model.faults.next_drop_ms()
        if delay_ms is not None:
            self.model.clock.after(delay_ms, self._drop_by_fault)

    def _drop_by_fault(self) -> None:
        if self._emit is None:
            return
        self.drop_link()
        self.model.clock.after(self.model.faults.rates.drop_lasts_ms, self._back_again)

    def _back_again(self) -> None:
        if self._emit is not None:
            self.connect()
            self._plan_drop()

    def _send(self, event: events.SwitchEvent) -> None:
        if self._emit is not None:
            self._emit(event)

    def _tell(self, event: events.SwitchEvent) -> None:
        """An event of the link: gone while it is down, and subject to faults."""
        if self.link_up and self._emit is not None:
            self.model.faults.deliver(self.model.clock, event, self._send_if_up)

    def _send_if_up(self, event: events.SwitchEvent) -> None:
        if self.link_up:
            self._send(event)

    # --- the arrival socket -------------------------------------------------------------------------------------

    def _dialled(self, channel: Channel, hosts: list[str]) -> None:
        taken = self._accepting or "trunkline_call" in channel.variables
        if taken and self.link_up and self._emit is not None:
            sockets.accepted(self.model, channel, self, hosts[0])
        else:
            sockets.refused(channel)

    def attached(self, channel: Channel) -> None:
        """A socket of its own brings this, so it is never lost."""
        call = channel.variables.get("trunkline_call")
        self._player.forget(channel.uuid)
        self._send(
            events.CallArrived(
                switch=self.switch,
                leg=LegId(channel.uuid),
                did=channel.variables.get("trunkline_did", channel.destination),
                caller_number=clean(channel.caller_number),
                caller_name=clean(channel.caller_name),
                trunk=channel.variables.get("sip_gateway", channel.profile),
                call=CallId(call) if call else None,
                answered=channel.answered,
            )
        )

    def hung_up(self, channel: Channel) -> None:
        """Its socket closes with the channel; the hang-up itself comes over the link."""

    def _let_go(self) -> None:
        for channel in list(self.model.channels.values()):
            if channel.controller is self:
                sockets.controller_gone(self.model, channel, self)

    # --- happenings to events -----------------------------------------------------------------------------------

    def _heard(self, name: str, channel: Channel | None, headers: dict[str, str]) -> None:
        if channel is not None:
            handler = self._on.get(name)
            if handler is not None:
                handler(channel, headers)
        elif name == "BACKGROUND_JOB":
            self._dialler.job_answered(headers)
        elif name == "CUSTOM":
            self._custom(headers)

    def _ringing(self, channel: Channel, headers: dict[str, str]) -> None:
        self._tell(events.LegRinging(switch=self.switch, leg=LegId(channel.uuid)))

    def _answered(self, channel: Channel, headers: dict[str, str]) -> None:
        self._tell(events.LegAnswered(switch=self.switch, leg=LegId(channel.uuid)))

    def _bridged(self, channel: Channel, headers: dict[str, str]) -> None:
        a, b = headers["Bridge-A-Unique-ID"], headers["Bridge-B-Unique-ID"]
        for uuid in (a, b):
            self._player.forget(uuid)
            leg = self.model.find(uuid)
            if leg is not None and leg.controller is self:
                sockets.controller_gone(self.model, leg, self)
        self._tell(events.LegsBridged(switch=self.switch, leg=LegId(a), other=LegId(b)))

    def _unbridged(self, channel: Channel, headers: dict[str, str]) -> None:
        if not channel.alive:
            return  # its LegHungUp has said so
        a, b = headers["Bridge-A-Unique-ID"], headers["Bridge-B-Unique-ID"]
        self._tell(events.LegsUnbridged(switch=self.switch, leg=LegId(a), other=LegId(b)))

    def _room_changed(self, channel: Channel, headers: dict[str, str]) -> None:
        if headers.get("Action") == "add-member":
            self._tell(events.LegJoined(switch=self.switch, leg=LegId(channel.uuid), room=headers["Conference-Name"]))

    def _held(self, channel: Channel, headers: dict[str, str]) -> None:
        self._tell(events.LegHeld(switch=self.switch, leg=LegId(channel.uuid)))

    def _unheld(self, channel: Channel, headers: dict[str, str]) -> None:
        self._tell(events.LegUnheld(switch=self.switch, leg=LegId(channel.uuid)))

    def _hung_up(self, channel: Channel, headers: dict[str, str]) -> None:
        self._player.forget(channel.uuid)
        self._dialler.hung_up(channel, headers)

    def _digit(self, channel: Channel, headers: dict[str, str]) -> None:
        self._tell(events.DigitPressed(switch=self.switch, leg=LegId(channel.uuid), digit=headers["DTMF-Digit"]))

    def _custom(self, headers: dict[str, str]) -> None:
        kind = headers.get("Event-Subclass", "")
        if kind in ("sofia::register", "sofia::unregister"):
            registered = kind == "sofia::register"
            address = headers["from-user"]
            self._tell(events.DeviceChanged(switch=self.switch, address=address, registered=registered))
        elif kind == "sofia::gateway_state" and headers["Gateway"] in self.trunks:
            up, trunk = headers["Ping-Status"] == "UP", self.trunks[headers["Gateway"]]
            self._tell(events.TrunkChanged(switch=self.switch, trunk=trunk, up=up, detail=headers["State"]))

    # --- commands -----------------------------------------------------------------------------------------------

    def _execute(self, command: commands.Command) -> None:
        if self.link_up:
            self._do[type(command)](command)

    def _tag(self, command: commands.Command) -> None:
        assert isinstance(command, commands.TagLeg)
        channel = self.model.find(command.leg)
        if channel is not None:
            channel.variables.update(
                trunkline_call=command.call,
                trunkline_tenant=command.tenant,
                trunkline_role=events.LegRole.CUSTOMER,
                transfer_after_bridge=f"{ARRIVAL}:XML:{CONTEXT}",
            )

    def _answer(self, command: commands.Command) -> None:
        channel = self.model.find(command.leg)
        if channel is not None:
            self.model.executor.send(channel, Message("answer", "", "", locked=True))

    def _answer_device(self, command: commands.Command) -> None:
        channel = self.model.find(command.leg)
        if channel is not None:
            self.model.phones.asked_to_answer(channel)

    def _park(self, command: commands.Command) -> None:
        """As the FreeSWITCH driver: one that is in no bridge stands by already; nothing is left of the last talk."""
        self._player.stop(command)
        channel = self.model.find(command.leg)
        if channel is None:
            return
        channel.muted = False
        self.model.hold(channel, False)
        if is_in_room(channel) or channel.bridge is not None:
            self.model.park(channel)

    def _bridge(self, command: commands.Command) -> None:
        assert isinstance(command, commands.BridgeLegs)
        for leg in (command.leg, command.other):
            consults.outlive(self.model, leg, command.keep, command.idle_timeout_ms)
        customer = self.model.find(command.other)
        if customer is not None and consults.is_customer(customer):  # forgotten each time it goes it
            customer.variables["transfer_after_bridge"] = f"{ARRIVAL}:XML:{CONTEXT}"
            customer.variables.pop("park_timeout", None)
        reply = self.model.bridge(command.leg, command.other)
        if reply.startswith("-"):
            reason = reply.strip()
            self._tell(events.BridgeFailed(switch=self.switch, leg=command.leg, other=command.other, reason=reason))

    def _part(self, command: commands.Command) -> None:
        assert isinstance(command, commands.PartLegs)
        consults.part(self.model, command)

    def _join_room(self, command: commands.Command) -> None:
        assert isinstance(command, commands.JoinRoom)
        self._player.forget(command.leg)
        consults.join_room(self.model, command)

    def _hold(self, command: commands.Command) -> None:
        self._set_hold(command.leg, True)

    def _unhold(self, command: commands.Command) -> None:
        self._set_hold(command.leg, False)

    def _set_hold(self, leg: LegId, on: bool) -> None:
        channel = self.model.find(leg)
        if channel is not None:
            self.model.hold(channel, on)

    def _mute(self, command: commands.Command) -> None:
        self._set_mute(command.leg, True)

    def _unmute(self, command: commands.Command) -> None:
        self._set_mute(command.leg, False)

    def _set_mute(self, leg: LegId, on: bool) -> None:
        channel = self.model.find(leg)
        if channel is not None:
            channel.muted = on
            kind = events.LegMuted if on else events.LegUnmuted
            self._tell(kind(switch=self.switch, leg=leg))

    def _send_digits(self, command: commands.Command) -> None:
        assert isinstance(command, commands.SendDigits)
        channel = self.model.find(command.leg)
        if channel is not None:
            channel.tones_heard += command.digits

    def _reclaim(self, command: commands.Command) -> None:
        channel = self.model.find(command.leg)
        if channel is None:
            self._tell(events.LegHungUp(switch=self.switch, leg=command.leg, cause=events.HangupCause.LOST))
        else:
            self.model.transfer(channel, consults.TO_ARRIVAL)

    def _snapshot(self, command: commands.Command) -> None:
        self.request_snapshot()

    def _compare(self, command: commands.Command) -> None:
        assert isinstance(command, commands.CompareLegs)
        self.model.clock.after(SNAPSHOT_TAKES_MS, lambda: self._lookout.compare(command.believed))

    def _report_snapshot(self) -> None:
        for gateway, trunk in self.trunks.items():
            up = self.model.gateways.get(gateway, False)
            self._tell(events.TrunkChanged(switch=self.switch, trunk=trunk, up=up))
        if self.link_up:
            self._fetch_stranded()
            self._send(snapshot(self.switch, self.model, self))

    def _fetch_stranded(self) -> None:
        """Twice and a while apart: a call that is just coming in looks the same."""
        now_ms, waiting = self.model.clock.now_ms, {}
        for channel in self.model.listed():
            if "trunkline_call" in channel.variables or not sockets.is_stranded(channel, self):
                continue
            since_ms = self._stranded.get(channel.uuid, now_ms)
            if now_ms - since_ms >= STRANDED_MS:
                self.model.transfer(channel, consults.TO_ARRIVAL)
            else:
                waiting[channel.uuid] = since_ms
        self._stranded = waiting


def clean(text: str) -> str:
    """What a caller may have sent, as the core expects it: printable, at most 128 characters."""
    return "".join(c for c in text if c.isprintable())[:128]
