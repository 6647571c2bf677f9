"""What goes into a switch's files, every value checked.

FreeSWITCH reads ``X-PRE-PROCESS`` and ``$${variables}`` before it parses XML, expands ``${variables}`` in arguments of
applications, and drops a line that mentions x-pre-process (``switch_xml.c``, ``preprocess`` and ``expand_vars``). So
escaping alone is not enough: each field has a rule that leaves no room for any of it, and breaking it is an error that
names the row and the field. Models have the same rules; this is for rows that came by another way.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from dataclasses import dataclass
from typing import Any


class BadValue(ValueError):
    """A row holds something that cannot go into a switch's files. The message says which, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    meaning: str

    def check(self, owner: str, name: str, value: object) -> None:
        fits = isinstance(value, str) and self.pattern.fullmatch(value)
        if not fits or "x-pre-process" in str(value).lower():
            raise BadValue(f"{owner}: {name}: {value!r:.80} is not allowed; expected {self.meaning}")


NAME = Rule(re.compile(r"[a-z][a-z0-9_-]{0,39}"), "small letters, digits, - and _, starting with a letter")
MODULE = Rule(re.compile(r"mod_[a-z0-9_]{1,40}"), "a module's name")
ACCOUNT = Rule(re.compile(r"[A-Za-z0-9._+-]{1,64}"), "1 to 64 letters, digits and . _ + -")
SECRET = Rule(re.compile(r"[A-Za-z0-9._~!@*()+=-]{8,64}"), "8 to 64 letters, digits and . _ ~ ! @ * ( ) + = -")
HOST = Rule(re.compile(r"[A-Za-z0-9.-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?"), "a host name or an address")
OPTIONAL_HOST = Rule(re.compile(rf"|{HOST.pattern.pattern}"), "empty, a host name or an address")
HOST_PORT = Rule(re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?"), "host or host:port")
LOCAL_ADDRESS = Rule(
    re.compile(rf"\$\$\{{local_ip_v[46]\}}|{HOST.pattern.pattern}"), "an address of the switch, or $${local_ip_v4}"
)
SOCKETS = Rule(
    re.compile(r"[A-Za-z0-9.-]+:\d{1,5}(\|[A-Za-z0-9.-]+:\d{1,5}){0,49}"), "host:port, further ones after |, at most 50"
)
NUMBER = Rule(re.compile(r"\+?[0-9*#]{1,32}"), "an optional + and up to 32 digits, * and #")
OPTIONAL_NUMBER = Rule(re.compile(rf"|{NUMBER.pattern.pattern}"), "empty, or a number")
OPTIONAL_NAME = Rule(re.compile(rf"|{NAME.pattern.pattern}"), "empty, or a gateway's name")
TRANSPORT = Rule(re.compile(r"udp|tcp|tls"), "udp, tcp or tls")
CODECS = Rule(re.compile(r"[A-Za-z0-9]{1,16}(,[A-Za-z0-9]{1,16}){0,9}"), "codec names separated by commas")
DIRECTORY = Rule(
    re.compile(r"(\$\$\{[a-z_]{1,20}_dir\})?(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){1,20}"),
    "an absolute path of letters, digits and . _ - without . or .. parts",
)
SUBDIRECTORY = Rule(
    re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,9}"),
    "a relative path of letters, digits and . _ - without . or .. parts",
)
SOUND = Rule(
    re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9_-]+)*\.wav"), "a wav file's name relative to the sounds directory"
)


def ruled(rule: Rule, **kwargs: Any) -> Any:
    return dataclasses.field(metadata={"rule": rule}, **kwargs)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Checks each field by its rule, each item of a tuple alike. Raises ``BadValue``."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            rule = item.metadata.get("rule")
            value = getattr(self, item.name)
            for one in value if isinstance(value, tuple) else (value,):
                if rule is not None:
                    rule.check(self.owner(), item.name, one)

    def owner(self) -> str:
        return f"{type(self).__name__.removesuffix('Spec')} {getattr(self, 'name', '')!r}"


@dataclass(frozen=True, kw_only=True)
class GatewaySpec(Checked):
    """A trunk. One that does not register still needs a name and a password in the file; they are never sent."""

    name: str = ruled(NAME)
    proxy: str = ruled(HOST_PORT)
    realm: str = ruled(HOST)
    username: str = ruled(ACCOUNT)
    password: str = ruled(SECRET)
    transport: str = ruled(TRANSPORT, default="udp")
    register: bool = False


@dataclass(frozen=True, kw_only=True)
class AccountSpec(Checked):
    name: str = ruled(ACCOUNT)
    secret: str = ruled(SECRET)
    tenant: str = ruled(NAME)  # its code


@dataclass(frozen=True, kw_only=True)
class MusicSpec(Checked):
    name: str = ruled(NAME)
    path: str = ruled(DIRECTORY)


@dataclass(frozen=True, kw_only=True)
class FallbackSpec(Checked):
    """What the callers of a tenant's numbers get when no engine answers. Without ``dids`` it is for all others."""

    name: str = ruled(Rule(re.compile(r"[A-Za-z0-9_-]{1,64}"), "a code"))
    dids: tuple[str, ...] = ruled(NUMBER, default=())
    sounds: tuple[str, ...] = ruled(SOUND, default=())
    goodbye_sounds: tuple[str, ...] = ruled(SOUND, default=())
    gateway: str = ruled(OPTIONAL_NAME, default="")
    number: str = ruled(OPTIONAL_NUMBER, default="")
    caller_number: str = ruled(OPTIONAL_NUMBER, default="")

    @property
    def did_expression(self) -> str:
        """A regular expression that matches exactly the numbers."""
        return "^(" + "|".join(re.escape(did) for did in self.dids) + ")$" if self.dids else ".*"


@dataclass(frozen=True, kw_only=True)
class NetworkSpec(Checked):
    """A peer allowed by an access list: a network, or a host that the switch resolves when it loads."""

    cidr: str = ""
    host: str = ruled(OPTIONAL_HOST, default="")

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.cidr) == bool(self.host):
            raise BadValue("Network: give a network or a host name")
        try:
            if self.cidr:
                ipaddress.ip_network(self.cidr)
        except ValueError as error:
            raise BadValue(f"Network: {self.cidr!r:.80} is not a network such as 203.0.113.0/24") from error


@dataclass(frozen=True, kw_only=True)
class SwitchSpec(Checked):
    """One FreeSWITCH. Directories are on its own host."""

    name: str = ruled(NAME)
    domain: str = ruled(HOST)
    sip_address: str = ruled(LOCAL_ADDRESS)
    external_address: str = ruled(OPTIONAL_HOST, default="")
    trunks_sip_port: int = 5080
    agents_sip_port: int = 5060
    ws_port: int = 5066
    wss_port: int = 0  # 0: no secure WebSocket of its own, a proxy in front ends TLS
    rtp_first_port: int = 16384
    rtp_last_port: int = 32768
    event_socket_address: str = ruled(HOST, default="127.0.0.1")
    event_socket_port: int = 8021
    event_socket_password: str = ruled(SECRET)
    sockets: str = ruled(SOCKETS)  # where calls are handed to the engine: host:port|host:port
    engines: tuple[NetworkSpec, ...] = ()  # who may reach the Event Socket besides this host
    trunk_codecs: str = ruled(CODECS, default="PCMA,PCMU")
    agent_codecs: str = ruled(CODECS, default="OPUS,PCMA,PCMU")
    max_sessions: int = 1000
    sessions_per_second: int = 30
    sounds_dir: str = ruled(DIRECTORY)
    cdr_dir: str = ruled(DIRECTORY, default="$${log_dir}/json_cdr")
    gateways: tuple[GatewaySpec, ...] = ()
    trunk_peers: tuple[NetworkSpec, ...] = ()
    accounts: tuple[AccountSpec, ...] = ()
    music: tuple[MusicSpec, ...] = ()
    fallbacks: tuple[FallbackSpec, ...] = ()
    modules: tuple[str, ...] = ruled(MODULE, default=())  # beside those that Trunkline needs
    media_timeout_ms: int = 60_000
    media_hold_timeout_ms: int = 1_800_000
    # The engine's death is noticed when the running application ends, at worst a 20 s lease of music; these steps
    # come on top and both must stay under 45 s. Shorter steps find a restarted engine sooner.
    ladder_steps: int = 12
    ladder_step_ms: int = 1_500

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in (
            "trunks_sip_port",
            "agents_sip_port",
            "ws_port",
            "event_socket_port",
            "rtp_first_port",
            "rtp_last_port",
        ):
            if not 1 <= getattr(self, name) <= 65535:
                raise BadValue(f"{self.owner()}: {name}: {getattr(self, name)!r} is no port")
        if self.rtp_first_port >= self.rtp_last_port:
            raise BadValue(f"{self.owner()}: the last RTP port must be above the first")
        if not any(music.name == "default" for music in self.music):
            raise BadValue(f"{self.owner()}: there must be music named default: callers wait with it")

    @property
    def ladder(self) -> range:
        return range(self.ladder_steps)

    @property
    def colleagues(self) -> dict[str, str]:
        """For each tenant a regular expression that matches exactly its accounts."""
        names: dict[str, list[str]] = {}
        for account in self.accounts:
            names.setdefault(account.tenant, []).append(re.escape(account.name))
        return {tenant: "^(" + "|".join(own) + ")$" for tenant, own in names.items()}

    @property
    def tls(self) -> bool:
        return any(gateway.transport == "tls" for gateway in self.gateways)

    @property
    def trunks_tls_port(self) -> int:
        return self.trunks_sip_port + 1
