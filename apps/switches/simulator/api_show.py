"""``show``: the channels, calls and registrations of the switch, as CSV or JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from apps.switches.simulator.channel import Channel

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch


def show(switch: Switch, argument: str) -> str:
    words = argument.split()
    kind = words[0] if words else ""
    tables: dict[str, Callable[[Switch], list[dict[str, str]]]] = {
        "channels": _channel_rows,
        "calls": _call_rows,
        "bridged_calls": _call_rows,
        "registrations": _registration_rows,
    }
    if kind not in tables:
        return "-USAGE: codec|endpoint|application|api|dialplan|calls [count]|channels [count]|registrations\n"
    rows = tables[kind](switch)
    if words[1:] == ["as", "json"]:
        table: dict[str, object] = {"row_count": len(rows)}
        if not rows:
            return '{"row_count": 0}\n'
        table["rows"] = rows
        return json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)] if rows else []
    body = "" if words[1:] == ["count"] else "".join(f"{line}\n" for line in lines)
    return f"{body}\n{len(rows)} total.\n"


def _channel_rows(switch: Switch) -> list[dict[str, str]]:
    return [_channel_row(switch, channel) for channel in switch.listed()]


def _channel_row(switch: Switch, channel: Channel) -> dict[str, str]:
    created = time.gmtime(channel.created_ms / 1000)
    peer = channel.bridged_to
    return {
        "uuid": channel.uuid,
        "direction": channel.direction,
        "created": time.strftime("%Y-%m-%d %H:%M:%S", created),
        "created_epoch": str(channel.created_ms // 1000),
        "name": channel.name,
        "state": channel.state,
        "cid_name": channel.caller_name,
        "cid_num": channel.caller_number,
        "ip_addr": channel.network_addr,
        "dest": channel.destination,
        "application": channel.variables.get("current_application", ""),
        "application_data": channel.variables.get("current_application_data", ""),
        "dialplan": "XML",
        "context": channel.context,
        "read_codec": "PCMU",
        "read_rate": "8000",
        "read_bit_rate": "64000",
        "write_codec": "PCMU",
        "write_rate": "8000",
        "write_bit_rate": "64000",
        "secure": "",
        "hostname": switch.globals["hostname"],
        "presence_id": "",
        "presence_data": "",
        "accountcode": "",
        "callstate": channel.callstate,
        "callee_name": "",
        "callee_num": "",
        "callee_direction": "",
        "call_uuid": peer.uuid if peer is not None else "",
        "sent_callee_name": "",
        "sent_callee_num": "",
        "initial_cid_name": channel.caller_name,
        "initial_cid_num": channel.caller_number,
        "initial_ip_addr": channel.network_addr,
        "initial_dest": channel.destination,
        "initial_dialplan": "XML",
        "initial_context": channel.context,
    }


def _call_rows(switch: Switch) -> list[dict[str, str]]:
    rows = []
    for channel in switch.channels.values():
        if channel.bridge is not None and channel.bridge.up and channel.bridge.a is channel:
            other = {f"b_{key}": value for key, value in _channel_row(switch, channel.bridge.b).items()}
            rows.append({**_channel_row(switch, channel), **other})
    return rows


def _registration_rows(switch: Switch) -> list[dict[str, str]]:
    return [
        {
            "reg_user": address,
            "realm": switch.globals["domain"],
            "token": f"{address}@simulator",
            "url": f"sofia/{switch.profiles[-1]}/sip:{address}@127.0.0.1:5090",
            "expires": str(switch.clock.now_ms // 1000 + 3600),
            "network_ip": "127.0.0.1",
            "network_port": "5090",
            "network_proto": "udp",
            "hostname": switch.globals["hostname"],
            "metadata": "",
        }
        for address in switch.phones.registered()
    ]
