"""Bringing two legs together, and the customer's leg back out, with what FreeSWITCH does in between.

``uuid_bridge A B`` takes some 60 ms, in which either side may die. What the switch then does to the other one depends
on who is A (switch_ivr_bridge.c, uuid_bridge_on_soft_execute; all of it seen live):

* A dies first: B is hung up, or waits for ever (so we hang it up).
* B dies first: A is transferred to B's ``rdnis`` if B has that variable; or by its own ``transfer_after_bridge`` if B
  is gone altogether; or, a tick later, goes on in its dialplan if it has ``uuid_bridge_continue_on_cancel``; else it is
  hung up.

So **A is the customer** and the far leg carries ``rdnis=<arrival extension>``: however the far leg dies, the caller
comes back to the arrival extension by himself (180 of 180; with the agent as A some were hung up or stuck). The core's
``ReclaimLeg`` stays as the second line, and a customer who has just come back that way is not moved again.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.core.commands import BridgeLegs, JoinRoom, PartLegs
from apps.core.events import BridgeFailed, HangupCause
from apps.core.ids import LegId
from apps.switches.freeswitch import clean, decode, encode
from apps.switches.freeswitch.causes import word_of
from apps.switches.freeswitch.legs import Leg, Legs
from apps.switches.freeswitch.media import MediaControl
from apps.switches.freeswitch.ports import Context

JUST_BACK_MS = 1_000


class BridgeControl:
    def __init__(self, context: Context, legs: Legs, media: MediaControl, leg: Callable[[LegId], Leg]) -> None:
        self._leg = leg
        self._settings = context.settings
        self._ports = context.ports
        self._legs = legs
        self._media = media

    def frames(self, command: BridgeLegs, job: str) -> list[bytes]:
        """The bridge, and before it the customer's way back where the arrival extension has not set it.

        Legs that are to outlive their peer are told so; one that was, and need not any more, as well.
        """
        far, customer = self._leg(command.leg), self._leg(command.other)
        frames: list[bytes] = []
        for leg in (far, customer):
            if command.keep:
                frames += self._keep(leg, command.idle_timeout_ms)
            elif leg.outlives:
                leg.outlives = False
                frames += [] if leg.kept else [encode.let_go_of(leg.leg)]
        return [*frames, *self._bridge(far, customer, job)]

    def _keep(self, leg: Leg, idle_timeout_ms: int) -> list[bytes]:
        """Nothing need be said of a customer's leg, which comes back to us, nor of a line that is kept open."""
        leg.outlives = leg.originated
        return [encode.keep(leg.leg, idle_timeout_ms)] if leg.originated and not leg.kept else []

    def _bridge(self, far: Leg, customer: Leg, job: str) -> list[bytes]:
        bridge = encode.bridge(customer.leg, far.leg, job)
        if customer.way_back or customer.originated:
            return [bridge]
        # The park_timeout of a customer whom we called was for the time until now.
        variables = {**encode.way_back(self._settings), "park_timeout": ""}
        return [encode.set_variables(customer.leg, variables), bridge]

    def asked(self, far: Leg, customer: Leg) -> None:
        far.bridging, customer.bridging = customer.leg, far.leg
        far.away = customer.away = True
        far.in_room = customer.in_room = False
        customer.left_alone = customer.way_back = False

    def reported(self, far: Leg, customer: Leg, body: str) -> None:
        """The job's outcome. ``+OK`` is no bridge: CHANNEL_BRIDGE is. An error: nothing has moved."""
        error = decode.job_failure(body)
        if error is None or customer.bridging not in (far.leg, None) or customer.bridged is not None:
            return
        pending = customer.bridging is not None
        self.over(far)
        far.away = customer.away = False
        if pending:
            self._ports.emit(
                BridgeFailed(switch=self._settings.switch, leg=far.leg, other=customer.leg, reason=clean.text(error))
            )
        self._media.free(customer)

    def over(self, leg: Leg) -> None:
        """Forget a bridge that was asked for, on both sides."""
        other = self._legs.get(leg.bridging) if leg.bridging else None
        leg.bridging = None
        if other is not None and other.bridging == leg.leg:
            other.bridging = None

    def died(self, leg: Leg) -> None:
        """CHANNEL_HANGUP. In a bridge's gap the customer is on the way back now, and a far leg may hang for ever."""
        other = self._legs.get(leg.bridging) if leg.bridging else None
        self.over(leg)
        if other is None:
            return
        if other.outlives:
            return  # the core has another to bring it together with, which gets it out of there
        if other.kept:
            self._ports.send(encode.park(other.leg))
        elif other.originated:
            self._ports.send(encode.kill(other.leg, word_of(HangupCause.NORMAL)))
        else:
            other.left_alone = True

    def stands(self, leg: Leg, other_id: LegId) -> None:
        """CHANNEL_BRIDGE. The customer's leg has left the socket application for good: its socket is done."""
        other = self._legs.get(other_id)
        for side, peer in ((leg, other_id), (other, leg.leg)):
            if side is not None:
                side.bridging, side.bridged = None, peer
                self._media.taken_away(side)
                self._ports.close_arrival(side.leg)

    def ended(self, leg: Leg) -> None:
        """CHANNEL_UNBRIDGE."""
        other = self._legs.get(leg.bridged) if leg.bridged else None
        leg.bridged = None
        if other is not None and other.bridged == leg.leg:
            other.bridged = None

    def back(self, leg: Leg, headers: decode.Headers) -> None:
        """The customer's leg has arrived, for the first time or again: idle, with what the dialplan has set on it."""
        from_gap = leg.left_alone or leg.bridging is not None  # an arrival may overtake the far leg's CHANNEL_HANGUP
        self.over(leg)
        self._media.taken_away(leg)
        leg.media.terminators = decode.field(headers, "variable_playback_terminators") or encode.TERMINATORS
        way_back = encode.way_back(self._settings)
        leg.way_back = all(decode.field(headers, f"variable_{name}") == value for name, value in way_back.items())
        leg.away = False
        leg.bridged = None
        leg.back_ms = self._ports.now_ms() if from_gap else None
        leg.left_alone = False

    def part(self, command: PartLegs) -> None:
        far, customer = self._leg(command.leg), self._leg(command.other)
        for frame in self._keep(far, command.idle_timeout_ms):
            self._ports.send(frame)
        self.reclaim(customer)

    def join_room(self, command: JoinRoom) -> None:
        """Like a reclaim: a customer's socket is let go of first."""
        leg = self._leg(command.leg)
        frames = self._keep(leg, command.idle_timeout_ms)
        frames += encode.join_room(leg.leg, command.room, leg.role, self._settings)
        self.over(leg)
        leg.away = leg.in_room = True
        self._media.taken_away(leg)

        def go() -> None:
            for frame in frames:
                self._ports.send(frame)

        self._ports.release_arrival(leg.leg, go)

    def reclaim(self, leg: Leg) -> None:
        """Closing a call's socket later would un-park it from the next one: so first let go of it, then move it."""
        frame = encode.reclaim(leg.leg, self._settings)
        just_back = leg.back_ms is not None and self._ports.now_ms() - leg.back_ms < JUST_BACK_MS
        if just_back and not leg.away and self._ports.holds(leg.leg):
            return
        self.over(leg)
        leg.away = True
        self._media.taken_away(leg)
        self._ports.release_arrival(leg.leg, lambda: self._ports.send(frame))
