"""Outcomes of requests, switches, configuration, and what somebody should look at."""

from __future__ import annotations

from apps.core.config import CenterConfig
from apps.core.facts.base import Fact
from apps.core.ids import CallId, SwitchId, TrunkId
from apps.core.record import record


@record
class RequestDone(Fact):
    cmd_id: str
    actor: str
    request: str  # the event's type name


@record
class RequestRefused(Fact):
    """``code`` is stable, for machines and screens (``stale``, ``wrong_state`` …); ``reason`` is English."""

    cmd_id: str
    actor: str
    request: str
    code: str
    reason: str


@record
class SwitchConnected(Fact):
    switch: SwitchId
    boot: str


@record
class SwitchDisconnected(Fact):
    switch: SwitchId
    reason: str


@record
class DeviceStateChanged(Fact):
    switch: SwitchId
    address: str
    registered: bool


@record
class TrunkStateChanged(Fact):
    switch: SwitchId
    trunk: TrunkId
    up: bool
    detail: str


@record
class ConfigApplied(Fact):
    """Carries the configuration itself, so that a fold needs nothing else."""

    config: CenterConfig


@record
class RunStarted(Fact):
    """A new engine run; ids are minted from it."""

    run: str


@record
class Anomaly(Fact):
    """Something arrived that does not fit the state. Nothing was changed by it."""

    event: str
    subject: str
    state: str
    detail: str
    call: CallId | None = None


@record
class AlarmRaised(Fact):
    """A person should look. ``kind``: unknown_did, trunk_down, recording_failed, device_invalid, disk_full …"""

    kind: str
    subject: str
    detail: str


@record
class AlarmCleared(Fact):
    kind: str
    subject: str
