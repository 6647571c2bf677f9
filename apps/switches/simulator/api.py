"""The ``api`` commands of this slice and what a real switch answers, errors included (CMD; api_errors_and_status)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from apps.switches.simulator import api_channel, api_show, api_switch

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

Handler = Callable[["Switch", str], str]


def run(switch: Switch, command: str, argument: str) -> str:
    handler = COMMANDS.get(command)
    return handler(switch, argument) if handler else f"-ERR {command} Command not found!\n"


def expanded(switch: Switch, command: str, argument: str) -> tuple[str, str]:
    """What an ``expand`` comes to: the switch's variables in the arguments, never in a command's name."""
    while command == "expand":
        command, _, argument = switch.expand(None, argument).strip().partition(" ")
    return command, argument


COMMANDS: dict[str, Handler] = {
    "conference": api_switch.conference,
    "create_uuid": lambda switch, argument: switch.new_uuid(),
    "global_getvar": api_switch.global_getvar,
    "global_setvar": api_switch.global_setvar,
    "hostname": lambda switch, argument: switch.globals["hostname"],
    "hupall": api_switch.hupall,
    "reloadxml": lambda switch, argument: "+OK [Success]\n",
    "show": api_show.show,
    "sofia": api_switch.sofia,
    "status": api_switch.status,
    "strepoch": lambda switch, argument: str(switch.clock.now_ms // 1000),
    "uuid_answer": api_channel.answer,
    "uuid_audio": api_channel.audio,
    "uuid_break": api_channel.break_,
    "uuid_bridge": api_channel.bridge,
    "uuid_displace": api_channel.displace,
    "uuid_dump": api_channel.dump,
    "uuid_exists": api_channel.exists,
    "uuid_getvar": api_channel.getvar,
    "uuid_hold": api_channel.hold,
    "uuid_kill": api_channel.kill,
    "uuid_park": api_channel.park,
    "uuid_phone_event": api_channel.phone_event,
    "uuid_record": api_channel.record,
    "uuid_recv_dtmf": api_channel.recv_dtmf,
    "uuid_send_dtmf": api_channel.send_dtmf,
    "uuid_setvar": api_channel.setvar,
    "uuid_setvar_multi": api_channel.setvar_multi,
    "uuid_transfer": api_channel.transfer,
    "version": api_switch.version,
}
