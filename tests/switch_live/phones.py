"""Callers and seats' telephones, played by SIPp. Each is a process of its own and is told by datagrams what to do."""

from __future__ import annotations

import itertools
import shutil
import socket
import subprocess
from pathlib import Path
from string import Template

from tests.switch_live import sound
from tests.switch_live.waiting import free_ports

SCENARIOS = Path(__file__).parent / "scenarios"
NEVER_MS = 3_600_000
_numbers = itertools.count(1)


def sipp_binary() -> str | None:
    return shutil.which("sipp")


class Sipp:
    """One running SIPp. ``port`` is its SIP port, ``log`` every message it sent and received."""

    def __init__(
        self, directory: Path, scenario: str, values: dict[str, str], arguments: list[str], port: int = 0
    ) -> None:
        self.name = f"{Path(scenario).stem}-{next(_numbers)}"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{self.name}.xml"
        path.write_text(
            Template((SCENARIOS / scenario).read_text()).substitute(values), encoding="utf-8", errors="surrogateescape"
        )
        free_port, first_rtp = free_ports(2)
        self.port = port or free_port
        self.log = directory / f"{self.name}.messages"
        self.process = subprocess.Popen(
            [
                *(sipp_binary() or "sipp", "-sf", str(path), "-i", "127.0.0.1", "-p", str(self.port), "-nostdin"),
                *("-mp", str(first_rtp), "-cid_str", f"{self.name}-%u"),
                *("-trace_msg", "-message_file", str(self.log)),
                *("-trace_err", "-error_file", str(directory / f"{self.name}.errors"), *arguments),
            ],
            cwd=directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def tell(self, call_id: str, method: str, *headers: str) -> None:
        """A datagram that looks like a request of the call; the scenario acts on it."""
        number = next(_numbers)
        lines = [
            f"{method} sip:test SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{number}",
            "From: <sip:test@127.0.0.1>;tag=test",
            "To: <sip:test@127.0.0.1>",
            f"Call-ID: {call_id}",
            f"CSeq: {number} {method}",
            *headers,
            "Content-Length: 0",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), ("127.0.0.1", self.port))

    def stop(self) -> None:
        """No BYE: to the switch it is a peer that vanished."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Caller(Sipp):
    """Calls at once and talks in a tone until told to hang up, or hung up on."""

    def __init__(
        self,
        directory: Path,
        switch_port: int,
        did: str,
        number: str = "13800138000",
        display: str = "",
        ears: int | None = None,
    ) -> None:
        """``ears``: the UDP port that gets what this caller hears, who then says nothing himself.

        (The switch sends sound to wherever it last came from, so a voice would take it to SIPp's own port.)
        """
        tone = sound.write_alaw_tone(directory / "caller.al", sound.CALLER_HZ)
        values = {
            "did": did,
            "number": number,
            "display": f'"{display}" ' if display else "",
            "media_port": "[rtpstream_audio_port]" if ears is None else str(ears),
            "voice": f'<action><exec rtp_stream="{tone},-1,8"/></action>' if ears is None else "",
        }
        super().__init__(directory, "caller.xml", values, [f"127.0.0.1:{switch_port}", "-m", "1"])
        self.call_id = f"{self.name}-1"

    def press(self, digit: str) -> None:
        self.tell(self.call_id, "INFO", f"X-Digit: {digit}")

    def hang_up(self) -> None:
        self.tell(self.call_id, "MESSAGE")

    @property
    def gone(self) -> bool:
        """The call is over, from this end or the other."""
        return self.process.poll() is not None


class Seat(Sipp):
    """Answers every call after ``ring_ms`` and talks in a tone of its own."""

    def __init__(self, directory: Path, ring_ms: int = 300, port: int = 0, hertz: int = sound.AGENT_HZ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        tone = sound.write_alaw_tone(directory / "seat.al", hertz)
        super().__init__(directory, "seat.xml", {"ring_ms": str(ring_ms), "tone": str(tone)}, ["-aa"], port)

    def hang_up(self, call_id: str) -> None:
        """``call_id`` as the switch knows it (variable sip_call_id of the leg)."""
        self.tell(call_id, "MESSAGE")


class Refusing(Sipp):
    """``code`` such as ``486 Busy Here``."""

    def __init__(self, directory: Path, code: str) -> None:
        super().__init__(directory, "refuse.xml", {"code": code}, ["-aa"])


def register(
    directory: Path,
    switch_port: int,
    domain: str,
    account: str,
    secret: str,
    contact_port: int,
    *,
    wanted: str = "200",
    expires_s: int = 600,
) -> bool:
    """One account at one telephone, or with ``expires_s`` 0 not any more. True if the switch answered as wanted."""
    values = {"domain": domain, "account": account, "secret": secret, "contact_port": str(contact_port)}
    phone = Sipp(
        directory,
        "register.xml",
        values | {"expires": str(expires_s), "wanted": wanted},
        [f"127.0.0.1:{switch_port}", "-m", "1", "-timeout", "10", "-timeout_error"],
    )
    return phone.process.wait(20) == 0


def dial(
    directory: Path, switch_port: int, domain: str, account: str, secret: str, number: str, *, wanted: str
) -> bool:
    """A telephone dials by itself. True if the switch answered as wanted, e.g. ``404``."""
    phone = Sipp(
        directory,
        "dial.xml",
        {"domain": domain, "account": account, "secret": secret, "number": number, "wanted": wanted},
        [f"127.0.0.1:{switch_port}", "-m", "1", "-timeout", "15", "-timeout_error"],
    )
    return phone.process.wait(25) == 0
