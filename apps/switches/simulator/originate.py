"""``originate {variables}destination &application(data)``: from the dial string to a parked leg or a cause."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.switches.simulator.channel import Channel, Job

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

_VARIABLE_BLOCK = re.compile(r"^([\[{<])")
_CLOSING = {"{": "}", "[": "]", "<": ">"}
_APPLICATION = re.compile(r"&(\w+)(?:\((.*)\))?$", re.DOTALL)
DEFAULT_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DialString:
    variables: dict[str, str]
    endpoint: str  # user | gateway | profile
    profile: str  # the gateway's or the profile's name
    address: str  # what is called: account, number or user@host
    application: tuple[str, str]
    caller_name: str = ""
    caller_number: str = ""
    timeout_s: int = DEFAULT_TIMEOUT_S


def parse(argument: str) -> DialString | None:
    """None when the argument makes no sense to the switch."""
    variables: dict[str, str] = {}
    text = argument.strip()
    while (block := _VARIABLE_BLOCK.match(text)) is not None:
        inside, closed, text = text[1:].partition(_CLOSING[block.group(1)])
        if not closed:
            return None
        variables.update(_variables(inside))
        text = text.lstrip()
    dial, _, rest = text.partition(" ")
    kind, _, where = dial.partition("/")
    words = _words(rest)
    if not 1 <= len(words) <= 6:
        return None
    if kind == "user" and where:
        return _dial_string(variables, ("user", "agents", where.partition("@")[0]), words)
    profile, _, address = where.partition("/")
    endpoint = "profile"
    if kind == "sofia" and profile == "gateway":
        endpoint = "gateway"
        profile, _, address = address.partition("/")
    if kind != "sofia" or not address:
        return None
    return _dial_string(variables, (endpoint, profile, address), words)


def _dial_string(variables: dict[str, str], target: tuple[str, str, str], words: list[str]) -> DialString:
    """``words``: exten, dialplan, context, caller's name, caller's number, timeout."""
    name, number, timeout = [*words[3:], "", "", ""][:3]
    endpoint, profile, address = target
    return DialString(
        variables=variables,
        endpoint=endpoint,
        profile=profile,
        address=address,
        application=_application(words[0]),
        caller_name=name,
        caller_number=number,
        timeout_s=int(timeout) if timeout.isdecimal() and int(timeout) > 0 else DEFAULT_TIMEOUT_S,
    )


def _words(text: str) -> list[str]:
    """Parted at spaces outside quotes; ``undef`` stands for none."""
    words = re.findall(r"&\w+\([^)]*\)|'[^']*'|[^ ]+", text)
    return ["" if word.lower() == "undef" else word.strip("'") for word in words]


def _variables(text: str) -> dict[str, str]:
    """``a=1,b='x,y',c=x\\,y`` as the core reads it: a comma separates unless quoted or escaped."""
    if text.startswith("^^") and len(text) > 2:
        parts = text[3:].split(text[2])
    else:
        parts = re.findall(r"(?:\\.|'[^']*'|[^,])+", text)
    found = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if equals:
            found[name.strip()] = value.strip().strip("'").replace("\\,", ",")
    return found


def _application(text: str) -> tuple[str, str]:
    match = _APPLICATION.match(text)
    if match:
        return match.group(1), match.group(2) or ""
    return "transfer", text


def originate(switch: Switch, argument: str, job: Job) -> None:
    """Answers ``job`` when the leg is answered or has failed."""
    dial = parse(argument)
    if dial is None:
        switch.job_done(job, "-USAGE: <call url> <exten>|&<application_name>(<app_args>)\n")
        return
    launch(switch, dial, job)


def launch(switch: Switch, dial: DialString, job: Job) -> None:
    refused = _refusal(switch, dial)
    if refused:
        switch.job_done(job, f"-ERR {refused}\n")
        return
    uuid = dial.variables.get("origination_uuid") or switch.new_uuid()
    channel = _channel(switch, dial, uuid, job)
    switch.number(channel)
    failed = _impossible(switch, dial)
    if failed:
        channel.state = channel.next_state = "CS_NONE"
        channel.name = "N/A"
        switch.emit("CHANNEL_DESTROY", channel)
        switch.job_done(job, f"-ERR {failed}\n")
        return
    if not switch.add(channel):
        switch.job_done(job, "-ERR DESTINATION_OUT_OF_ORDER\n")
        return
    _announce(switch, channel)
    switch.phones.invited(channel, dial.address, dial.endpoint)
    _arm_ring_timeout(switch, channel, dial.timeout_s)


def _refusal(switch: Switch, dial: DialString) -> str:
    """Refused before there is any channel: no event tells of it."""
    if switch.faults.refuses_originate():
        return "DESTINATION_OUT_OF_ORDER"
    if switch.find(dial.variables.get("origination_uuid", "")) is not None:
        return "DESTINATION_OUT_OF_ORDER"
    return ""


def _impossible(switch: Switch, dial: DialString) -> str:
    if dial.endpoint == "user":
        return "" if switch.phones.is_registered(dial.address) else "USER_NOT_REGISTERED"
    if dial.endpoint == "gateway":
        if dial.profile not in switch.gateways:
            return "INVALID_GATEWAY"
        return "" if switch.gateways[dial.profile] else "NETWORK_OUT_OF_ORDER"
    return "" if dial.profile in switch.profiles else "INVALID_PROFILE"


def _channel(switch: Switch, dial: DialString, uuid: str, job: Job) -> Channel:
    number = dial.variables.get("origination_caller_id_number") or dial.caller_number or "0000000000"
    address = dial.address
    profile = switch.profiles[0] if dial.endpoint == "gateway" else dial.profile
    channel = Channel(
        uuid=uuid,
        name=f"sofia/{profile}/{address}",
        direction="outbound",
        caller_number=number,
        caller_name=dial.variables.get("origination_caller_id_name") or dial.caller_name,
        destination=address.partition("@")[0],
        created_ms=switch.clock.now_ms,
        context="default",
        profile=profile,
        originate_job=job,
    )
    channel.variables.update(dial.variables)
    channel.variables.update(direction="outbound", is_outbound="true", uuid=uuid, call_uuid=uuid)
    channel.actions = deque([dial.application])
    channel.state = "CS_NONE"
    return channel


def _announce(switch: Switch, channel: Channel) -> None:
    channel.next_state = "CS_INIT"
    switch.emit("CHANNEL_OUTGOING", channel)
    switch.set_state(channel, "CS_INIT")
    channel.next_state = "CS_ROUTING"
    channel.variables["sofia_profile_name"] = channel.profile
    channel.variables["channel_name"] = channel.name
    switch.emit("CHANNEL_CREATE", channel)
    switch.emit("CHANNEL_ORIGINATE", channel)
    switch.set_state(channel, "CS_ROUTING")
    switch.set_state(channel, "CS_CONSUME_MEDIA")


def _arm_ring_timeout(switch: Switch, channel: Channel, timeout_s: int) -> None:
    text = channel.variables.get("originate_timeout", "")
    seconds = int(text) if text.isdecimal() and int(text) > 0 else timeout_s

    def expired() -> None:
        if channel.alive and not channel.answered:
            switch.hang_up(channel, "NO_ANSWER")

    switch.clock.after(seconds * 1000, expired)


def ringing(switch: Switch, channel: Channel) -> None:
    if channel.alive and channel.callstate == "DOWN":
        channel.progress_ms = switch.clock.now_ms
        switch.emit("CHANNEL_PROGRESS", channel)
        switch.set_callstate(channel, "RINGING")


def answered(switch: Switch, channel: Channel) -> None:
    """The far end picked up: the leg leaves the originate and runs its application."""
    if not channel.alive or channel.answered:
        return
    ringing(switch, channel)
    switch.answer(channel)
    channel.hit_dialplan = True
    switch.emit("CALL_UPDATE", channel)
    if channel.originate_job is not None:
        job, channel.originate_job = channel.originate_job, None
        switch.job_done(job, f"+OK {channel.uuid}\n")
    switch.set_state(channel, "CS_EXECUTE")
    switch.executor.carry_on(channel)
