"""Seeded callers who arrive, choose, lose patience, talk and hang up (their phones are in ``phones.py``).

A plan says what somebody will do; the model says when it can happen.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from apps.switches.simulator.channel import Channel
from apps.switches.simulator.clock import Timer
from apps.switches.simulator.model import Switch

KNOWN_SHARE = 0.7  # of callers, where some are known
RUSH = 6  # times as often come those who waited for the line to open


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPlan:
    """What one caller will do. ``patience_ms`` counts from arrival or the end of a talk, ``talk_ms`` from a bridge."""

    number: str
    did: str
    name: str = ""
    trunk: str = ""
    keys: str = ""  # one for each prompt heard
    reaction_ms: int = 1200
    patience_ms: int | None = 60_000
    talk_ms: int | None = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How callers come: per minute, to which DIDs, with which keys, how patient and how talkative."""

    per_minute: float = 0.0
    dids: tuple[str, ...] = ()
    trunks: tuple[str, ...] = ("",)
    keys: tuple[str, ...] = ("1", "2")
    names: tuple[str, ...] = ("Wang Fang", "Li Wei", "张敏", "刘洋", "Chen Jing", "John Smith", "Mary Brown", "赵磊")
    numbers: tuple[str, ...] = ()  # of people who call again and again; most callers are one of them
    patience_ms: tuple[int, int] = (30_000, 180_000)
    talk_ms: tuple[int, int] = (10_000, 60_000)
    reaction_ms: tuple[int, int] = (600, 3000)
    limit: int | None = None  # callers in all
    at_most: int = 200  # at once


class Callers:
    """People who call in. ``place`` puts one call; ``start`` lets a crowd come by itself."""

    def __init__(self, switch: Switch, crowd: Crowd | None = None, seed: int = 0) -> None:
        self.switch = switch
        self.crowd = crowd or Crowd()
        self.placed = 0
        self._rng = random.Random(f"{seed}/callers")
        self._calling: dict[str, _Caller] = {}
        self._next: Timer | None = None
        self._rush = 0  # callers who are still to come in a hurry
        switch.listeners.append(self._heard)

    def __len__(self) -> int:
        return len(self._calling)

    @property
    def running(self) -> bool:
        return self._next is not None

    def start(self, rush: int = 0) -> None:
        """The first ``rush`` of them waited for the line to open: they come quickly one after another."""
        if self._next is None and self.crowd.per_minute > 0 and self.crowd.dids:
            self._rush = rush
            self._arm()

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _arm(self) -> None:
        per_minute = self.crowd.per_minute * (RUSH if self._rush else 1)
        self._rush = max(0, self._rush - 1)
        gap_ms = int(self._rng.expovariate(per_minute / 60_000))
        self._next = self.switch.clock.after(gap_ms, self._come)

    def _come(self) -> None:
        self._next = None
        if self.crowd.limit is not None and self.placed >= self.crowd.limit:
            return
        if len(self._calling) < self.crowd.at_most:
            self.place(self.somebody())
        self._arm()

    def somebody(self) -> CallerPlan:
        crowd, pick = self.crowd, self._rng
        known = bool(crowd.numbers) and pick.random() < KNOWN_SHARE
        return CallerPlan(
            number=pick.choice(crowd.numbers) if known else f"1{pick.choice('3578')}{pick.randrange(10**9):09d}",
            name="" if known else pick.choice(crowd.names),
            did=pick.choice(crowd.dids),
            trunk=pick.choice(crowd.trunks),
            keys=pick.choice(crowd.keys) if crowd.keys else "",
            reaction_ms=pick.randint(*crowd.reaction_ms),
            patience_ms=pick.randint(*crowd.patience_ms),
            talk_ms=pick.randint(*crowd.talk_ms),
        )

    def place(self, plan: CallerPlan) -> Channel:
        self.placed += 1
        channel = self.switch.arrive(
            destination=plan.did, caller_number=plan.number, caller_name=plan.name, trunk=plan.trunk
        )
        if channel.alive:
            caller = _Caller(self.switch, channel, plan)
            self._calling[channel.uuid] = caller
            caller.wait()
        return channel

    def _heard(self, name: str, channel: Channel | None, headers: dict[str, str]) -> None:
        if channel is None:
            return
        if name == "CHANNEL_BRIDGE" and channel.peer is not None:
            for leg in (channel, channel.peer):
                if (caller := self._calling.get(leg.uuid)) is not None:
                    caller.talk()
            return
        caller = self._calling.get(channel.uuid)
        if caller is None:
            return
        if name == "PLAYBACK_START":
            caller.heard(headers.get("Playback-File-Path", ""))
        elif name == "CHANNEL_PARK":
            caller.came_back()
        elif name == "CHANNEL_HANGUP":
            del self._calling[channel.uuid]
            caller.forget()


class _Caller:
    def __init__(self, switch: Switch, channel: Channel, plan: CallerPlan) -> None:
        self.switch = switch
        self.channel = channel
        self.plan = plan
        self.keys = list(plan.keys)
        self._prompts: set[str] = set()
        self._leaves: Timer | None = None
        self._presses: Timer | None = None
        self._talking = False

    def _leave_after(self, delay_ms: int | None) -> None:
        if self._leaves is not None:
            self._leaves.cancel()
            self._leaves = None
        if delay_ms is not None:
            self._leaves = self.switch.clock.after(
                delay_ms, lambda: self.switch.hang_up(self.channel, "NORMAL_CLEARING")
            )

    def wait(self) -> None:
        self._leave_after(self.plan.patience_ms)

    def talk(self) -> None:
        self._talking = True
        self._leave_after(self.plan.talk_ms)

    def came_back(self) -> None:
        if self._talking:
            self._talking = False
            self.wait()

    def heard(self, path: str) -> None:
        """A prompt, not music: react to it with the next key. Asked the same again, say the same again."""
        if self._presses is not None or any(f"{kind}_stream://" in path for kind in ("local", "silence", "tone")):
            return
        if not self.keys and path in self._prompts and self.plan.keys:
            self.keys.append(self.plan.keys[-1])
        self._prompts.add(path)
        if self.keys:
            self._presses = self.switch.clock.after(self.plan.reaction_ms, self._press)

    def _press(self) -> None:
        self._presses = None
        if self.keys and self.channel.alive:
            self.switch.press(self.channel, self.keys.pop(0))

    def forget(self) -> None:
        self._leave_after(None)
        if self._presses is not None:
            self._presses.cancel()
