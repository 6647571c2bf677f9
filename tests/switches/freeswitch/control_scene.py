"""A control on a fake link, and the events a switch would send it."""

from __future__ import annotations

from typing import Any

from apps.core import commands as c
from apps.core.events import (
    LegRole,
    PlayEnded,
    PlayOutcome,
)
from apps.core.ids import AgentId, CallId, LegId, PlayId, RecordingId, SwitchId, TenantId
from apps.switches.freeswitch.control import Control
from tests.switches.freeswitch.fakes import FakePorts

S = SwitchId("1")
CUSTOMER, AGENT = LegId("cust-1"), LegId("k-l2")
MUSIC = "sendmsg playback {timeout=20000}local_stream://default"
Pair = tuple[Control, FakePorts]


def event(name: str, leg: str, **headers: str) -> dict[str, Any]:
    return {"Event-Name": name, "Unique-ID": leg, "Answer-State": "answered"} | {
        key.replace("__", "-"): value for key, value in headers.items()
    }


def arrive(control: Control, ports: FakePorts, **headers: str) -> None:
    control.arrived(event("CHANNEL_DATA", CUSTOMER, Caller__Destination__Number="4001", **headers))
    ports.held.add(CUSTOMER)
    ports.take()


def complete(ports: FakePorts, response: str = "FILE PLAYED", used: str = "", back: int = 1) -> dict[str, Any]:
    return event(
        "CHANNEL_EXECUTE_COMPLETE",
        CUSTOMER,
        Application="playback",
        Application__Response=response,
        Application__Data=f"{{t=token-{ports._tokens + 1 - back}}}a.wav",
        variable_playback_terminator_used=used,
    )


def play(name: str = "p1", *sounds: str, barge: bool = True) -> c.PlayPrompts:
    return c.PlayPrompts(switch=S, leg=CUSTOMER, play=PlayId(name), sounds=sounds or ("a.wav",), barge=barge)


def music(name: str = "default") -> c.StartMusic:
    return c.StartMusic(switch=S, leg=CUSTOMER, music=name)


def ended(ports: FakePorts) -> list[tuple[str, PlayOutcome]]:
    return [(e.play, e.outcome) for e in ports.take() if isinstance(e, PlayEnded)]


def originate(control: Control, leg: LegId = AGENT) -> None:
    control.execute(
        c.OriginateLeg(
            switch=S, leg=leg, call=CallId("k-c1"), tenant=TenantId("7"), role=LegRole.AGENT, agent=AgentId("12"),
            destination=c.Destination(kind=c.DestinationKind.DEVICE, address="1001"), ring_timeout_ms=15_000,
        )
    )  # fmt: skip


def job(ports: FakePorts, body: str, back: int = 1) -> dict[str, Any]:
    return {"Event-Name": "BACKGROUND_JOB", "Job-UUID": f"token-{ports._tokens + 1 - back}", "_body": body}


def start_recording() -> c.StartRecording:
    return c.StartRecording(switch=S, leg=CUSTOMER, recording=RecordingId("r1"), path="2026/r1.wav")
