"""A centre of any size with a switch in the same process that does at once as it is told: for figures of the core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core.center import Effect
from apps.core.engine import Engine
from apps.core.ids import AgentId, LegId

START_MS = 1_700_000_000_000
SWITCH = "fs"
TENANT = "1"


def flow(name: str, queue: str, skills: Iterable[str] = ()) -> cfg.FlowConfig:
    """A menu with one key, then the queue."""
    return cfg.FlowConfig(
        id=name, tenant=TENANT, version=f"{name}-1",
        document={
            "schema": "ivr/1", "langs": ["zh"], "default_lang": "zh", "start": "a",
            "nodes": {
                "a": {"type": "answer", "on": {"ok": "m"}},
                "m": {"type": "menu", "say": [{"p": "m"}], "keys": {"1": "q"}, "on": {"fail": "q"}},
                "q": {"type": "enqueue", "queue": queue, "skills": list(skills)},
            },
        },
        sounds={"m": {"zh": "m.wav"}},
    )  # type: ignore[arg-type]  # fmt: skip


class Floor:
    """``feed`` hands the core one event and then whatever the switch makes of the commands, until nothing is left."""

    def __init__(self, config: cfg.CenterConfig) -> None:
        self.engine = Engine()
        self.now_ms = START_MS
        self.handled = 0
        self.legs = 0
        self.talks: deque[tuple[LegId, LegId]] = deque()  # agent's leg, caller's: the longest first
        self.handle: Callable[[e.Event, int], list[Effect]] = self.engine.handle
        self._serial = 0
        self.feed(e.ConfigChanged(config=config))
        self.feed(e.LinkUp(switch=SWITCH, boot="b"))

    def feed(self, event: e.Event) -> None:
        inbox = deque([event])
        while inbox:
            self.handled += 1
            for effect in self.handle(inbox.popleft(), self.now_ms):
                if isinstance(effect, c.Command):
                    inbox.extend(self._done(effect))

    def _done(self, command: c.Command) -> tuple[e.Event, ...]:
        leg = command.leg
        if isinstance(command, c.OriginateLeg):
            return (
                e.LegRinging(switch=SWITCH, leg=leg),
                e.LegAnswered(switch=SWITCH, leg=leg),
                e.LegParked(switch=SWITCH, leg=leg),
            )
        if isinstance(command, c.BridgeLegs):
            self.talks.append((leg, command.other))
            return (e.LegsBridged(switch=SWITCH, leg=leg, other=command.other),)
        if isinstance(command, c.HangUpLeg) and leg in self.engine.state.legs:
            return (e.LegHungUp(switch=SWITCH, leg=leg, cause=e.HangupCause.NORMAL),)
        if isinstance(command, c.StopRecording):
            return (e.RecordingStopped(switch=SWITCH, leg=leg, recording=command.recording, duration_ms=1),)
        return ()

    # --- people ---

    def sign_in(self, agents: Iterable[AgentId]) -> None:
        for agent in agents:
            for request in (e.AgentSignedIn, e.AgentWentReady):
                self._serial += 1
                self.feed(request(tenant=TENANT, cmd_id=f"c{self._serial}", actor="bench", agent=agent))

    def call_in(self, did: str) -> None:
        """Through the menu into the queue."""
        self.legs += 1
        leg = LegId(f"u{self.legs}")
        self.feed(e.CallArrived(switch=SWITCH, leg=leg, did=did, caller_number=f"138{self.legs:08d}"))
        self.feed(e.DigitPressed(switch=SWITCH, leg=leg, digit="1"))

    def end_talk(self, agent: LegId, customer: LegId) -> None:
        """The agent hangs up, the customer comes back and is let go."""
        self.feed(e.LegHungUp(switch=SWITCH, leg=agent, cause=e.HangupCause.NORMAL))
        self.feed(e.LegsUnbridged(switch=SWITCH, leg=agent, other=customer))
        self.feed(e.CallArrived(switch=SWITCH, leg=customer, did="1", caller_number="138"))
