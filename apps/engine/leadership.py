"""Which of several engines leads: one claim, held on the first switch by compare-and-set, renewed while we live.

The claim is a global variable of that switch, ``term-engine-token-beat``. Its holder counts the beat up every
``RENEW_S``, each time comparing with its own last one; who stands by takes the claim, with the next term, when it has
stood still long enough, and the compare fails if the holder beat once more after all. So two clocks are never
compared, and a switch that nobody reaches makes nobody a leader.

How long is long enough depends on what else is known. A standby follows its leader's facts as well: while it hears
it there, and the leader says that its claim holds, nothing is taken (a link that flaps is no reason); a leader whose
line has closed is given one missed beat.

A leader asks ``sure`` before it decides anything. After a pause of its own (a stopped process, a suspended machine)
it is not, until a renewal has succeeded or shown that another leads. What it may have sent all the same the switch
refuses (apps/switches/freeswitch/fence.py).
"""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

from apps.config.outages import Outage

log = structlog.get_logger(__name__)

CLAIM = "trunkline_leader"
RENEW_S = 0.25
SURE_S = 1.0
"""So long after its last renewal a leader decides nothing before the next."""
LOOK_S = 0.1
SETTLE_S = 0.3
"""A variable that was not set cannot be compared: of two who set it the last one wins, seen after so long."""
CLOSED_STILL_S = 0.6
SILENT_STILL_S = 1.1
UNSURE_STILL_S = 2.0
ASK_OTHERS_AFTER = 3
"""Failed renewals: a connection that was cut while this process stood still is none."""
VACANT = "vacant"


class Role(StrEnum):
    """What an engine says of itself. Two may believe that they lead; never do two lead for certain."""

    LEADING = "leading"  # for certain, at this very moment
    UNSURE = "unsure"  # it led, and decides nothing before it knows that it still does
    STANDING_BY = "standing_by"


class Register(Protocol):
    """Global variables of the switch that decides. All raise ``ConnectionError`` when it is out of reach."""

    async def get(self, name: str) -> str: ...

    async def swap(self, name: str, expected: str, value: str) -> str: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """``token`` is the holder's, new with each term."""

    term: int
    engine: str
    token: str
    beat: int = 0

    @classmethod
    def read(cls, text: str) -> Claim | None:
        """None for what is no claim of ours."""
        parts = text.split("-")
        if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in (parts[0], parts[3])):
            return None
        return cls(int(parts[0]), parts[1], parts[2], int(parts[3]))

    def __str__(self) -> str:
        return f"{self.term}-{self.engine}-{self.token}-{self.beat}"

    @property
    def guard(self) -> str:
        return f"{self.term}_{self.engine}_{self.token}"

    @property
    def vacant(self) -> bool:
        return self.token == VACANT

    def next(self) -> Claim:
        return Claim(self.term, self.engine, self.token, self.beat + 1)

    def held_by(self, other: Claim) -> bool:
        return (self.term, self.token) == (other.term, other.token)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a standby hears of its leader elsewhere: ``closed``: its line ended, and nobody answers there now."""

    alive: bool
    holds: bool = False
    closed: bool = False

    def still_s(self) -> float | None:
        """How long a claim must stand still to be taken; None: not at all."""
        if self.alive:
            return None if self.holds else UNSURE_STILL_S
        return CLOSED_STILL_S if self.closed else SILENT_STILL_S


def now_s() -> float:
    """Goes on while the process is stopped and while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Leadership:
    """Of one engine, through one life of it: ``stand_by`` until it leads, ``hold`` until it does not any more."""

    def __init__(self, register: Register, engine: str, *, least_term: int = 0) -> None:
        """``least_term``: the highest that we know of; ours will be higher."""
        self._register = register
        self._engine = engine
        self._least_term = least_term
        self._confirmed_s = float("-inf")
        self._seen = ""
        self._seen_since_s = float("inf")
        self.claim: Claim | None = None
        self.takeovers_refused = 0

    @property
    def sure(self) -> bool:
        return self.claim is not None and now_s() - self._confirmed_s < SURE_S

    def use(self, register: Register) -> None:
        """Another switch decides from now on."""
        self._register.close()
        self._register = register
        self._seen_since_s = float("inf")

    def knows(self, term: int) -> None:
        self._least_term = max(self._least_term, term)

    # --- standing by -----------------------------------------------------------------------------------------------

    async def stand_by(self, heard: Callable[[], Heard]) -> Claim:
        """Returns when the claim is ours."""
        while True:
            try:
                claim = await self._look(heard())
            except ConnectionError as error:
                if self._seen_since_s != float("inf"):
                    log.warning("register_away", detail=str(error))
                self._seen, self._seen_since_s = "", float("inf")  # what we do not see may well move
                claim = None
            if claim is not None:
                return claim
            await asyncio.sleep(LOOK_S)

    async def _look(self, heard: Heard) -> Claim | None:
        value = await self._register.get(CLAIM)
        now = now_s()
        if value != self._seen or self._seen_since_s == float("inf"):
            self._seen, self._seen_since_s = value, now
        held = Claim.read(value)
        if held is not None:
            self.knows(held.term)
        needed_s = 0.0 if _free(value, held) and not (heard.alive and heard.holds) else heard.still_s()
        if needed_s is None or now - self._seen_since_s < needed_s:
            return None
        return await self._take(value)

    async def _take(self, value: str) -> Claim | None:
        """``value`` is what stands there now."""
        mine = Claim(self._least_term + 1, self._engine, _token())
        asked_s = now_s()
        now = await self._register.swap(CLAIM, value, str(mine))
        if now == str(mine) and not value:
            await asyncio.sleep(SETTLE_S)
            asked_s = now_s()
            now = await self._register.get(CLAIM)
        if now != str(mine):
            self.takeovers_refused += 1
            log.info("claim_not_taken", wanted=str(mine), held=now)
            self._seen_since_s = float("inf")
            return None
        self.claim, self._confirmed_s = mine, asked_s
        log.info("claim_taken", claim=str(mine), before=value)
        return mine

    # --- leading ---------------------------------------------------------------------------------------------------

    async def hold(self, contested: Callable[[], Awaitable[str]], confirmed: Callable[[], object]) -> str:
        """Renew until the claim is another's; returns why it is lost.

        ``contested`` asks the other engines when the switch cannot be asked: who of them leads in a later term, or
        "". ``confirmed`` is called after each renewal.
        """
        failures = 0
        outage = Outage(log, "claim_not_renewed", "claim_renewed")
        while True:
            was_sure, asked_s = self.sure, now_s()
            try:
                lost = await self._renew()
                failures = 0
                outage.over()
            except ConnectionError as error:
                failures += 1
                if was_sure or failures < ASK_OTHERS_AFTER:
                    await asyncio.sleep(LOOK_S)
                    continue
                outage.lasts(detail=str(error))
                lost = await contested()
                asked_s = now_s()  # nobody has it by now: the switch is slow, or away
            if lost:
                self.claim = None
                return lost
            self._confirmed_s = asked_s
            confirmed()
            await asyncio.sleep(max(0.0, asked_s + RENEW_S - now_s()))

    async def _renew(self) -> str:
        """Why the claim is lost; "" when it is ours for another while. Raises ``ConnectionError``."""
        assert self.claim is not None
        wanted = self.claim.next()
        found = await self._register.swap(CLAIM, str(self.claim), str(wanted))
        for _ in range(2):
            held = Claim.read(found)
            if found == str(wanted):
                self.claim = wanted
                return ""
            if held is not None and held.held_by(wanted):
                # The reply to an earlier renewal was lost, and it had succeeded.
                self.claim, wanted = held, held.next()
                found = await self._register.swap(CLAIM, str(held), str(wanted))
            elif held is None:
                # The switch has restarted and knows nothing: what was ours stays so.
                found = await self._register.swap(CLAIM, found, str(wanted))
            else:
                return f"term {held.term} of engine {held.engine} has begun"
        return "" if found == str(wanted) else f"the claim is {found or 'gone'}"

    async def vacate(self) -> None:
        """Let the next one take it at once. For the time after the last command. Never raises."""
        if self.claim is None:
            return
        empty = Claim(self.claim.term, self.claim.engine, VACANT, self.claim.beat + 1)
        try:
            await self._register.swap(CLAIM, str(self.claim), str(empty))
            log.info("claim_vacated", claim=str(self.claim))
        except ConnectionError as error:
            log.warning("claim_not_vacated", detail=str(error))
        self.claim = None

    def close(self) -> None:
        self._register.close()


def _free(value: str, held: Claim | None) -> bool:
    """Nobody has it: its holder has said so, or the switch has just started."""
    return not value or (held is not None and held.vacant)


def _token() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(6))
