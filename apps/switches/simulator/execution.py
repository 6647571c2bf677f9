"""Which dialplan applications run on a channel: one after another, one inside another, and the messages they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.switches.simulator.applications import APPLICATIONS, Application, Socket
from apps.switches.simulator.channel import Channel, Message
from apps.switches.simulator.rooms import ROOM_APPLICATIONS

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

PICK_UP_MESSAGE_MS = 10


class Executor:
    def __init__(self, switch: Switch) -> None:
        self.switch = switch

    def run(self, channel: Channel, message: Message) -> None:
        kind = APPLICATIONS.get(message.app) or ROOM_APPLICATIONS.get(message.app)
        if kind is None:
            self.switch.hang_up(channel, "DESTINATION_OUT_OF_ORDER")  # an unknown application ends the call (CS:2770)
            return
        data = self.switch.expand(channel, message.data)
        app = kind(self.switch, channel, message.app, data, message.uuid or self.switch.new_uuid(), message.locked)
        channel.variables.pop("current_application_response", None)
        channel.variables["current_application"] = message.app
        channel.variables["current_application_data"] = data
        channel.apps.append(app)
        self.switch.emit("CHANNEL_EXECUTE", channel, _described(app))
        app.start()

    def ended(self, app: Application, carry_on: bool = True) -> None:
        channel = app.channel
        if app not in channel.apps:
            return
        while channel.apps[-1] is not app:  # nested ones go first
            nested = channel.apps[-1]
            nested.interrupted()
            self._complete(nested)
        self._complete(app)
        if carry_on:
            self.carry_on(channel)

    def _complete(self, app: Application) -> None:
        app.channel.apps.remove(app)
        response = app.channel.variables.get("current_application_response", "_none_")
        headers = {**_described(app), "Application-Response": response}
        self.switch.emit("CHANNEL_EXECUTE_COMPLETE", app.channel, headers)

    def interrupt(self, channel: Channel) -> None:
        """Unwind every running application."""
        was_parked = channel.state == "CS_PARK"
        while channel.apps:
            app = channel.apps[-1]
            app.interrupted()
            if app in channel.apps:
                self._complete(app)
        self.switch.disarm_park_timeout(channel)
        if was_parked:
            self.switch.emit("CHANNEL_UNPARK", channel)

    def carry_on(self, channel: Channel) -> None:
        """Whatever comes next on a channel that has just become free, or has got a message."""
        if not channel.alive or channel.bridge is not None or channel.deaf:
            return
        if channel.apps:
            self._carry_on_inside(channel, channel.apps[-1])
        elif channel.state == "CS_PARK":
            if channel.inbox:
                self.run(channel, channel.inbox.popleft())
        elif channel.actions:
            name, data = channel.actions.popleft()
            self.run(channel, Message(name, data, "", False))
        elif channel.state == "CS_EXECUTE":
            self.switch.hang_up(channel, "NORMAL_CLEARING")

    def _carry_on_inside(self, channel: Channel, top: Application) -> None:
        if isinstance(top, Socket) and channel.socket_lost:
            channel.socket_lost = False
            top.lost()
        elif channel.inbox and top.reads_messages and not top.locked and not self._dialling(top):
            self.run(channel, channel.inbox.popleft())

    @staticmethod
    def _dialling(app: Application) -> bool:
        return isinstance(app, Socket) and not app.connected

    def send(self, channel: Channel, message: Message) -> None:
        """Queued; the channel takes it on its next tick, if it runs something that reads messages."""
        channel.inbox.append(message)
        self.switch.clock.after(PICK_UP_MESSAGE_MS, lambda: self.carry_on(channel))

    def send_hangup(self, channel: Channel, cause: str) -> None:
        """A queued hang-up waits behind a locked application; the driver uses ``uuid_kill`` instead."""
        self.send(channel, Message("hangup", cause, "", True))

    def stop_media(self, channel: Channel) -> None:
        if channel.apps:
            channel.apps[-1].stop()


def _described(app: Application) -> dict[str, str]:
    headers = {"Application": app.name, "Application-UUID": app.uuid}
    if app.data:
        headers["Application-Data"] = app.data
    return headers
