"""Standing by and leading, where there are several engines: who follows, who claims, and what ends a lead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import aiohttp
import structlog

from apps.config.outages import Outage
from apps.core.state import State
from apps.engine.drivers import SwitchSpec
from apps.engine.journal import Journal
from apps.engine.leadership import SURE_S, Claim, Leadership, Role
from apps.engine.standby import Follower
from apps.switches.freeswitch.register import Register

log = structlog.get_logger(__name__)

ASK_S = 0.3
TERM = "term"
"""In the journal's ``meta``: the highest term that this engine has led or followed."""


class Duty:
    """One life of this engine: it stands by, then leads, and ends with that (the process begins another).

    The first of the switches decides who leads; while it is out of reach nobody begins to.
    """

    def __init__(
        self,
        journal: Journal,
        state: State,
        *,
        number: int,
        doors: Sequence[str],
        token: str,
        take_over: Callable[[Claim, State], None],
        confirmed: Callable[[], object],
        ended: Callable[[], object],
        replacing: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """``doors`` are those of all engines, ``number`` counts from 1. All callables run in the loop.

        ``take_over`` is called with the claim that was won and the leader's last state; ``confirmed`` whenever the
        claim was renewed; ``ended`` once, when the lead is lost; the journal is replaced inside ``replacing``.
        """
        self._journal = journal
        self._number = number
        self._others = [door for place, door in enumerate(doors, start=1) if place != number]
        self._take_over, self._confirmed, self._ended = take_over, confirmed, ended
        self.follower = Follower(
            journal, state, doors=self._others, token=token, engine=str(number), replacing=replacing
        )
        self._unreached = Outage(log, "other_engine_unreachable", "other_engine_reached")
        self._leadership: Leadership | None = None
        self._arbiter: tuple[str, int, str] | None = None
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.leads = False
        self.lost = ""

    # --- what others ask ---------------------------------------------------------------------------------------------

    @property
    def sure(self) -> bool:
        """This engine leads, at this very moment."""
        return self.leads and self._leadership is not None and self._leadership.sure

    @property
    def role(self) -> Role:
        if not self.leads:
            return Role.STANDING_BY
        return Role.LEADING if self.sure else Role.UNSURE

    @property
    def term(self) -> int:
        """Of our lead, or of the one that we follow."""
        claim = self._leadership.claim if self._leadership is not None else None
        return claim.term if claim is not None else self.follower.term

    # --- life --------------------------------------------------------------------------------------------------------

    def decide_at(self, switches: Sequence[SwitchSpec]) -> None:
        """The switches as they are configured now; the first one keeps the claim."""
        if not switches:
            log.error("no_switch_to_lead_on", engine=self._number)
            return
        first = switches[0]
        arbiter = (first.host, first.port, first.password)
        if arbiter == self._arbiter:
            return
        self._arbiter = arbiter
        if self._leadership is None:
            least = int(self._journal.meta(TERM) or 0)
            self._leadership = Leadership(Register(*arbiter, timeout_s=SURE_S), str(self._number), least_term=least)
        else:
            self._leadership.use(Register(*arbiter, timeout_s=SURE_S))
        self._settled.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        """After the last command: give the lead away, if it is ours, and stand by no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.leads = False
        if self._leadership is not None:
            await self._leadership.vacate()
            self._leadership.close()

    async def _serve(self) -> None:
        try:
            await self._settled.wait()
            assert self._leadership is not None
            claim = await self._stand_by(self._leadership)
            self.leads = True
            self._take_over(claim, self.follower.state)
            self.lost = await self._leadership.hold(self._contested, self._confirmed)
            log.error("lead_lost", reason=self.lost)
        except Exception as error:  # whatever it was: a new life begins with what is on the disk
            log.exception("duty_failed")
            self.lost = f"{type(error).__name__}: {error}"
        self.leads = False
        self._ended()

    async def _stand_by(self, leadership: Leadership) -> Claim:
        following = asyncio.create_task(self.follower.run())
        try:
            claim = await leadership.stand_by(self.follower.heard)
            await self.follower.finish()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        self._journal.set_meta({TERM: str(claim.term)})
        return claim

    async def _contested(self) -> str:
        """Asked when the deciding switch is out of reach: does another engine say that it leads, later than we do?"""
        answers = await asyncio.gather(*(self._ask(door) for door in self._others))
        return next((answer for answer in answers if answer), "")

    async def _ask(self, door: str) -> str:
        timeout = aiohttp.ClientTimeout(total=ASK_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{door}/health") as reply:
                health: dict[str, Any] = await reply.json()
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            self._unreached.lasts(door=door, detail=str(error) or type(error).__name__)
            return ""
        self._unreached.over()
        # Unsure or not: the switch has given it that term, and with it ours was over.
        later = health.get("role") in (Role.LEADING, Role.UNSURE) and int(health.get("term", 0)) > self.term
        return f"{door} leads in term {health['term']}" if later else ""
