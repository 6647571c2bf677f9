"""Typed identifiers. Every id is a string on the wire, in the journal and on a channel."""

from typing import NewType

TenantId = NewType("TenantId", str)
SwitchId = NewType("SwitchId", str)
TrunkId = NewType("TrunkId", str)
QueueId = NewType("QueueId", str)
AgentId = NewType("AgentId", str)
SkillId = NewType("SkillId", str)
FlowId = NewType("FlowId", str)
CallId = NewType("CallId", str)
LegId = NewType("LegId", str)
RecordingId = NewType("RecordingId", str)
PlayId = NewType("PlayId", str)
CallbackId = NewType("CallbackId", str)


class IdMint:
    """Mints ids that are unique across engine runs and the same for the same run.

    An id is ``<run>-<kind><counter>``, e.g. ``k7f3q-c12``; only ``[a-z0-9-]``, so it needs no quoting
    on any switch. The run id comes from the host (random there); in a simulation it comes from the seed.
    """

    def __init__(self, run: str, counter: int = 0) -> None:
        if not run.isalnum() or run != run.lower():
            raise ValueError(f"run id must be lower-case letters and digits, got {run!r}")
        self.run = run
        self.counter = counter

    def _next(self, kind: str) -> str:
        self.counter += 1
        return f"{self.run}-{kind}{self.counter}"

    def call(self) -> CallId:
        return CallId(self._next("c"))

    def leg(self) -> LegId:
        return LegId(self._next("l"))

    def recording(self) -> RecordingId:
        return RecordingId(self._next("r"))

    def callback(self) -> CallbackId:
        return CallbackId(self._next("b"))

    def play(self) -> PlayId:
        return PlayId(self._next("p"))
