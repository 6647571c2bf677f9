"""A FreeSWITCH of its own for the driver's tests: the smallest configuration, free ports, everything in one directory.

The rendered files of a real installation are tested elsewhere; here the driver meets the switch with nothing between.
SIPp plays callers and phones.
"""

from __future__ import annotations

import array
import contextlib
import math
import os
import shutil
import socket
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from apps.core.events import SwitchEvent
from apps.core.ids import SwitchId, TrunkId
from apps.switches.freeswitch.driver import FreeSwitchDriver
from apps.switches.freeswitch.settings import FreeSwitchSettings

PASSWORD = "a-test-s-own"
E = TypeVar("E", bound=SwitchEvent)

CONFIG = """<?xml version="1.0"?>
<document type="freeswitch/xml">
 <X-PRE-PROCESS cmd="set" data="RECORD_STEREO=true"/>
 <X-PRE-PROCESS cmd="set" data="max_session_transfers=10000"/>
 <X-PRE-PROCESS cmd="set" data="uuid_bridge_continue_on_cancel=true"/>
 <section name="configuration">
  <configuration name="switch.conf"><settings>
   <param name="sessions-per-second" value="200"/><param name="loglevel" value="warning"/>
   <param name="rtp-start-port" value="{rtp}"/><param name="rtp-end-port" value="{rtp_end}"/>
   <param name="event-heartbeat-interval" value="5"/><param name="api-expansion" value="false"/>
  </settings></configuration>
  <configuration name="modules.conf"><modules>
   <load module="mod_logfile"/><load module="mod_event_socket"/><load module="mod_sofia"/><load module="mod_commands"/>
   <load module="mod_dptools"/><load module="mod_dialplan_xml"/><load module="mod_sndfile"/>
   <load module="mod_tone_stream"/><load module="mod_local_stream"/><load module="mod_conference"/>
  </modules></configuration>
  <configuration name="logfile.conf"><settings/><profiles><profile name="default">
   <settings><param name="logfile" value="{home}/log/freeswitch.log"/></settings>
   <mappings><map name="all" value="warning,err,crit,alert"/></mappings></profile></profiles></configuration>
  <configuration name="event_socket.conf"><settings>
   <param name="listen-ip" value="127.0.0.1"/><param name="listen-port" value="{event_socket}"/>
   <param name="password" value="{password}"/></settings></configuration>
  <configuration name="sofia.conf"><profiles><profile name="main">
   <gateways><gateway name="out"><param name="proxy" value="127.0.0.1:{phone}"/><param name="register" value="false"/>
   </gateway></gateways>
   <settings>
   <param name="context" value="trunkline"/><param name="dialplan" value="XML"/>
   <param name="sip-ip" value="127.0.0.1"/><param name="rtp-ip" value="127.0.0.1"/>
   <param name="sip-port" value="{sip}"/>
   <param name="auth-calls" value="false"/><param name="inbound-codec-prefs" value="PCMU,PCMA"/>
   <param name="outbound-codec-prefs" value="PCMU,PCMA"/><param name="rtp-timer-name" value="soft"/>
   <param name="manage-presence" value="false"/>
  </settings></profile></profiles></configuration>
  <configuration name="local_stream.conf"><directory name="default" path="{home}/music">
   <param name="rate" value="8000"/><param name="channels" value="1"/><param name="interval" value="20"/>
   <param name="timer-name" value="soft"/></directory></configuration>
  <configuration name="conference.conf"><caller-controls><group name="none"/></caller-controls><profiles>
   <profile name="default"><param name="rate" value="8000"/><param name="interval" value="20"/>
   <param name="energy-level" value="0"/><param name="caller-controls" value="none"/>
   <param name="member-flags" value="mintwo"/></profile></profiles></configuration>
  <configuration name="timezones.conf"><timezones><zone name="UTC" value="UTC0"/></timezones></configuration>
  <configuration name="post_load_modules.conf"><modules/></configuration>
 </section>
 <section name="dialplan"><context name="trunkline">
  <extension name="dialled" continue="true"><condition field="destination_number" expression="^([0-9]{{1,32}})$">
   <action application="set" data="trunkline_did=$1" inline="true"/></condition></extension>
  <extension name="arrival"><condition>
   <action application="multiset" data="^^;hangup_after_bridge=false;playback_terminators=none"/>
   <action application="socket" data="127.0.0.1:{arrivals} async full"/>
   <action application="answer"/>
   <action application="playback" data="{{timeout=2000}}local_stream://default"/>
   <action application="socket" data="127.0.0.1:{arrivals} async full"/>
   <action application="playback" data="{{timeout=2000}}local_stream://default"/>
   <action application="socket" data="127.0.0.1:{arrivals} async full"/>
   <action application="playback" data="tone_stream://%(30000,0,440)"/>
  </condition></extension></context></section>
 <section name="directory"><domain name="127.0.0.1"><groups><group name="all"><users>
  <user id="1001"><params><param name="dial-string" value="sofia/main/1001@127.0.0.1:{phone}"/></params></user>
  <user id="1002"><params><param name="dial-string" value="sofia/main/1002@127.0.0.1:{mute_phone}"/></params></user>
 </users></group></groups></domain></section>
</document>
"""

CALLER = """<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="caller">
  <send retrans="500"><![CDATA[
      INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: "@NAME@" <sip:13800138000@[local_ip]:[local_port]>;tag=[pid]T[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: sip:13800138000@[local_ip]:[local_port]
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=user1 53655765 2353687637 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000
  ]]></send>
  <recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>
  <recv response="200" timeout="20000"/>
  <send><![CDATA[
      ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: "@NAME@" <sip:13800138000@[local_ip]:[local_port]>;tag=[pid]T[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0

  ]]></send>
@KEYS@
@END@
</scenario>
"""

STAYS = """
  <recv request="BYE" timeout="60000"/>
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
"""

LEAVES = """
  <pause milliseconds="@PAUSE@"/>
  <send retrans="500"><![CDATA[
      BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:13800138000@[local_ip]:[local_port]>;tag=[pid]T[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 90 BYE
      Max-Forwards: 70
      Content-Length: 0

  ]]></send>
  <recv response="200"/>
"""

KEY = """
  <pause milliseconds="@PAUSE@"/>
  <send retrans="500"><![CDATA[
      INFO sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:13800138000@[local_ip]:[local_port]>;tag=[pid]T[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: @SEQ@ INFO
      Max-Forwards: 70
      Content-Type: application/dtmf-relay
      Content-Length: [len]

      Signal=@DIGIT@
      Duration=160
  ]]></send>
  <recv response="200"/>
"""

RINGS_ONLY = """<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="rings and waits">
  <recv request="INVITE"/>
  <send><![CDATA[
      SIP/2.0 180 Ringing
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]R[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:[local_ip]:[local_port];transport=[transport]>
      Content-Length: 0

  ]]></send>
  <recv request="CANCEL"/>
</scenario>
"""


def why_not() -> str:
    """Why these tests cannot run here; "" when they can."""
    missing = [tool for tool in ("freeswitch", "sipp") if shutil.which(tool) is None]
    return f"not on PATH: {', '.join(missing)}" if missing else ""


def free_ports(count: int, kind: int = socket.SOCK_STREAM) -> list[int]:
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket(socket.AF_INET, kind)) for _ in range(count)]
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [int(sock.getsockname()[1]) for sock in socks]


def tone(path: Path, seconds: float, hertz: int = 440) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = array.array(
        "h", (int(9000 * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(int(8000 * seconds)))
    )
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(samples.tobytes())


def until(probe: Callable[[], object], what: str, seconds: float = 10.0) -> object:
    """Poll until ``probe`` gives something true; the test fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.005)
    raise AssertionError(f"not in {seconds:.0f} s: {what}")


@dataclass
class Heard:
    """What a driver has emitted, with the time of each."""

    events: list[SwitchEvent] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def __call__(self, event: SwitchEvent) -> None:
        self.at.append(time.monotonic())
        self.events.append(event)

    def all(self, kind: type[E], **match: object) -> list[E]:
        return [
            event
            for event in list(self.events)
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in match.items())
        ]

    def wait(self, kind: type[E], seconds: float = 10.0, after: int = 0, **match: object) -> E:
        """The first such event at or after index ``after``."""

        def probe() -> list[E]:
            return [
                event
                for event in list(self.events)[after:]
                if isinstance(event, kind) and all(getattr(event, name) == value for name, value in match.items())
            ][:1]

        found = until(probe, f"{kind.__name__} {match}; heard: {self.events[after:]}", seconds)
        assert isinstance(found, list) and isinstance(found[0], kind)
        return found[0]


class Rig:
    def __init__(self, home: Path) -> None:
        self.home = home
        ports = free_ports(2)
        udp = free_ports(3, socket.SOCK_DGRAM)
        self.event_socket, self.arrivals = ports
        self.sip, self.phone, self.mute_phone = udp
        self._children: list[subprocess.Popen[bytes]] = []
        self._made = 0

    def start(self) -> None:
        for name in ("conf", "log", "run", "db", "recordings", "storage", "cache", "scripts", "grammar", "certs"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        tone(self.home / "music" / "tone.wav", 3, 300)
        tone(self.home / "sounds" / "short.wav", 0.4)
        tone(self.home / "sounds" / "long.wav", 6)
        rtp = 20_000 + os.getpid() % 20 * 2000
        names = {key: value for key, value in vars(self).items() if not key.startswith("_")}
        config = CONFIG.format(rtp=rtp, rtp_end=rtp + 1999, password=PASSWORD, **names)
        (self.home / "conf" / "freeswitch.xml").write_text(config)
        home = str(self.home)
        self.switch = self._spawn(
            "freeswitch", "-nonat", "-nf", "-nc", "-conf", f"{home}/conf", "-log", f"{home}/log", "-run", f"{home}/run",
            "-db", f"{home}/db", "-sounds", f"{home}/sounds", "-storage", f"{home}/storage", "-cache", f"{home}/cache",
            "-scripts", f"{home}/scripts", "-grammar", f"{home}/grammar", "-recordings", f"{home}/recordings",
            "-certs", f"{home}/certs",
        )  # fmt: skip
        until(self._answers, "FreeSWITCH's Event Socket", 30)
        until(lambda: self._sip_bound(), "FreeSWITCH's SIP port", 30)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.event_socket), 1):
            return True
        return False

    def _sip_bound(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", self.sip))
            except OSError:
                return True
        return False

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._children.append(child)
        return child

    def settings(self, music_lease_ms: int = 20_000) -> FreeSwitchSettings:
        return FreeSwitchSettings(
            music_lease_ms=music_lease_ms,
            switch=SwitchId("1"),
            port=self.event_socket,
            password=PASSWORD,
            arrival_port=self.arrivals,
            sounds_dir=str(self.home / "sounds"),
            recordings_dir=str(self.home / "recordings"),
            gateways={"out": TrunkId("3")},
        )

    @contextlib.contextmanager
    def driver(self, music_lease_ms: int = 20_000) -> Iterator[tuple[FreeSwitchDriver, Heard]]:
        driver, heard = FreeSwitchDriver(self.settings(music_lease_ms)), Heard()
        driver.start(heard)
        try:
            until(lambda: driver.linked and driver.arrival_port, "the driver reaching the switch")
            yield driver, heard
        finally:
            driver.stop()

    def kill_switch(self) -> None:
        self.switch.kill()
        self.switch.wait()

    def _scenario(self, text: str) -> str:
        self._made += 1
        path = self.home / f"scenario{self._made}.xml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def call(
        self,
        number: str,
        name: str = "Wang Fang",
        keys: tuple[tuple[int, str], ...] = (),
        leaves_ms: int | None = None,
    ) -> None:
        """A caller who presses each key after so many milliseconds, then leaves or stays until he is hung up."""
        rows = [
            KEY.replace("@PAUSE@", str(pause)).replace("@DIGIT@", digit).replace("@SEQ@", str(2 + count))
            for count, (pause, digit) in enumerate(keys)
        ]
        end = STAYS if leaves_ms is None else LEAVES.replace("@PAUSE@", str(leaves_ms))
        text = CALLER.replace("@NAME@", name).replace("@KEYS@", "".join(rows)).replace("@END@", end)
        (port,) = free_ports(1, socket.SOCK_DGRAM)
        self._spawn(
            "sipp", "-sf", self._scenario(text), "-i", "127.0.0.1", "-p", str(port), "-s", number,
            f"127.0.0.1:{self.sip}", "-m", "1", "-rtp_echo", "-nostdin", "-timeout", "60",
        )  # fmt: skip

    def start_phones(self) -> None:
        """One phone that answers at once, one that rings for ever."""
        self._spawn("sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", str(self.phone), "-rtp_echo", "-nostdin")
        rings = self._scenario(RINGS_ONLY)
        self._spawn("sipp", "-sf", rings, "-i", "127.0.0.1", "-p", str(self.mute_phone), "-nostdin")
        for port in (self.phone, self.mute_phone):
            until(partial(self._taken, port), "a phone's SIP port", 30)

    def _taken(self, port: int) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return True
        return False

    def stop(self) -> None:
        for child in reversed(self._children):
            if child.poll() is None:
                child.terminate()
        for child in self._children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
