"""What the driver must know of one FreeSWITCH. Built from a Switch row by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.core.ids import SwitchId, TrunkId


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSwitchSettings:
    """Where the switch is, where it finds us, and how its dialplan and disks are laid out.

    ``arrival_extension`` and ``context`` name the dialplan entry that hands a call to our arrival socket; calls come
    back to it after every talk. ``arrival_port`` 0 takes a free port (tests). ``sounds_dir`` and ``recordings_dir``
    are absolute paths **on the switch's host**; the switch must be able to write below ``recordings_dir``.
    ``gateways`` maps the switch's gateway names to our trunks.
    """

    switch: SwitchId
    host: str = "127.0.0.1"
    port: int = 8021
    password: str = field(repr=False)
    arrival_host: str = "127.0.0.1"
    arrival_port: int = 8084
    arrival_extension: str = "arrival"
    context: str = "trunkline"
    domain: str = "127.0.0.1"
    sounds_dir: str = "/usr/share/freeswitch/sounds"
    recordings_dir: str = "/var/lib/freeswitch/recordings"
    gateways: Mapping[str, TrunkId] = field(default_factory=dict)
    connect_timeout_ms: int = 5_000
    reply_timeout_ms: int = 10_000  # a switch that answers nothing for so long is hung: the link is dropped
    guard: str = ""  # the term under which this engine leads, where there is a standby (see ``fence``)
    music_lease_ms: int = 20_000  # a dead engine's caller comes free after at most this long
