"""mod_conference, as far as a three-way needs it: who is in a room, and that the last one left does not stay.

Seen live (tests/switch_live/test_consult.py, ``conference_three_way``): CUSTOM conference::maintenance with add-member
and del-member, the channel's headers and no variables. The profile has ``mintwo``: when of two one leaves, the other
goes on in its dialplan, unless ``hangup_after_conference`` is not false, and then it is hung up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.switches.simulator.applications import Application

if TYPE_CHECKING:
    from apps.switches.simulator.channel import Channel
    from apps.switches.simulator.model import Switch

LEAST = 2
UNWIND_MS = 20


class Conference(Application):
    """``conference name@profile``."""

    room = ""

    def start(self) -> None:
        self.room = self.data.partition("@")[0]
        members = self.switch.rooms.setdefault(self.room, [])
        members.append(self.channel)
        self._tell("add-member", len(members))

    def interrupted(self) -> None:
        self._leave()

    def finish(self) -> None:
        self._leave()
        if self.channel.variables.get("hangup_after_conference") == "false":
            super().finish()
        else:
            self.switch.hang_up(self.channel, "NORMAL_CLEARING")

    def _leave(self) -> None:
        members = self.switch.rooms.get(self.room, [])
        if self.channel not in members:
            return
        members.remove(self.channel)
        self._tell("del-member", len(members))
        if not members:
            del self.switch.rooms[self.room]
        elif len(members) < LEAST:
            alone = members[0]
            self.switch.clock.after(UNWIND_MS, lambda: _send_on(self.switch, alone, self.room))

    def _tell(self, action: str, size: int) -> None:
        headers = {
            "Event-Subclass": "conference::maintenance",
            "Conference-Name": self.room,
            "Conference-Size": str(size),
            "Conference-Profile-Name": "default",
            "Action": action,
        }
        self.switch.emit("CUSTOM", self.channel, headers)


def _send_on(switch: Switch, channel: Channel, room: str) -> None:
    """Unless somebody has come meanwhile."""
    app = channel.apps[-1] if channel.apps else None
    if channel.alive and isinstance(app, Conference) and app.room == room and len(switch.rooms.get(room, ())) < LEAST:
        app.finish()


def is_in_room(channel: Channel) -> bool:
    return any(isinstance(app, Conference) for app in channel.apps)


ROOM_APPLICATIONS: dict[str, type[Application]] = {"conference": Conference}
