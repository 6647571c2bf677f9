"""``manage.py replay CALL``: decide again, from what was stored, whom each offer of a call should have gone to."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.calls.decisions import trace_of
from apps.calls.models import Call, Decision
from apps.calls.projection import row_id
from apps.core.facts import Considered, OfferDecided
from apps.core.queues.decision import Outcome, decide


class Command(BaseCommand):
    help = (
        "Decides each offer of a call again from the inputs that were stored with it, by the rules of this version."
        " Ends with 0 when every answer is the same, with 1 when one differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("call", metavar="CALL", help="id of the call, as history shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        call = Call.objects.filter(pk=options["call"]).first()
        if call is None:
            raise CommandError(f"no call {options['call']!r} in history")
        rows = list(call.decisions.order_by("at", "leg_id"))
        if not rows:
            self.stdout.write("never offered to anybody")
            return
        different = sum(not self._again(row) for row in rows)
        self.stdout.write(f"{len(rows)} decisions, {different} different")
        if different:
            sys.exit(1)

    def _again(self, row: Decision) -> bool:
        """Whether the answer is the same."""
        trace = trace_of(row)
        if trace is None:
            self._say(row, "different", "nothing was stored that this version can read")
            return False
        try:
            found = differences(row, trace, decide(trace))
        except ValueError as error:
            found = [f"the inputs do not fit together: {error}"]
        self._say(row, "different" if found else "same", "; ".join(found) or f"agent {trace.agent}")
        return not found

    def _say(self, row: Decision, verdict: str, detail: str) -> None:
        self.stdout.write(f"{row.at.isoformat(timespec='milliseconds')} {row.leg_id} {verdict}: {detail}")


def differences(row: Decision, stored: OfferDecided, again: Outcome) -> list[str]:
    """Between what was decided then and what is decided now, one text each; and between the row and its own trace."""
    found = []
    if (row.leg_id, row.call_id, row.agent_id) != (stored.leg, stored.call, row_id(stored.agent)):
        found.append(f"the offer was to agent {row.agent_id}, its trace is of agent {stored.agent}")
    if again.agent != stored.agent:
        found.append(f"agent {stored.agent} was chosen, now agent {again.agent or 'nobody'} is")
    then = {one.agent: one for one in stored.considered}
    for one in again.considered:
        if one.agent in then and one != then[one.agent]:
            found.append(f"agent {one.agent}: {_verdict(then[one.agent])}, now {_verdict(one)}")
    if not found and again.considered != stored.considered:
        found.append("the agents are in another order")
    return found


def _verdict(one: Considered) -> str:
    return " ".join(filter(None, (one.code, one.detail))) or f"rank {list(one.rank)}"
