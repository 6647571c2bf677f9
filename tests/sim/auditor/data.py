"""What is known of a call goes with it: to whoever is asked next, through every transfer, into the next engine's run.

What was given is read off the requests themselves. What is shown is read off the state, as the agents' pages read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.state import State
from tests.sim.auditor.book import Book
from tests.sim.auditor.promises import Promise, hold

SHOWN_STEPS = 30
"""Of the way through the menus: a page shows no more."""


@dataclass(slots=True)
class Known:
    """Of one call. ``told``: by whom it was handed on, with which words."""

    number: str
    customer: str
    attached: dict[str, str]
    told: tuple[str, str] | None = None
    steps: list[str] = field(default_factory=list)


class DataBook(Book):
    """``shown`` is the state that pages are made of just now."""

    def __init__(self, shown: Callable[[], State]) -> None:
        self.shown = shown
        self.known: dict[str, Known] = {}
        self._asked: e.Event | None = None

    def asked(self, event: e.Event) -> None:
        """The engine is about to be told this."""
        self._asked = event

    # --- what is given ---

    def _on_CallStarted(self, fact: f.CallStarted) -> None:
        given = isinstance(self._asked, e.DialRequested | e.CallbackRequested)
        customer = self._asked.customer if given else ""  # type: ignore[union-attr]
        attached = dict(self._asked.attached) if given else {}  # type: ignore[union-attr]
        self.known[fact.call] = Known(fact.caller_number, customer, attached)

    def _on_TransferStarted(self, fact: f.TransferStarted | f.ConsultStarted) -> None:
        self.known[fact.call].told = (fact.agent, getattr(self._asked, "note", ""))

    _on_ConsultStarted = _on_TransferStarted

    def _on_IvrStepped(self, fact: f.IvrStepped) -> None:
        if fact.port:
            self.known[fact.call].steps.append(fact.node)

    def _on_CallEnded(self, fact: f.CallEnded) -> None:
        del self.known[fact.call]

    # --- what is shown, to whom it matters ---

    def _on_AgentOffered(self, fact: f.AgentOffered | f.DialStarted) -> None:
        self._is_shown(fact.call, fact)

    _on_DialStarted = _on_AgentOffered

    def _on_CallBridged(self, fact: f.CallBridged | f.ConsultAnswered) -> None:
        if fact.agent is not None:
            self._is_shown(fact.call, fact)

    _on_ConsultAnswered = _on_CallBridged

    def _on_RunStarted(self, fact: f.RunStarted) -> None:
        for call in self.known:
            self._is_shown(call, fact)

    def _is_shown(self, name: str, why: f.Fact) -> None:
        call = self.shown().calls.get(name)  # type: ignore[call-overload]
        if call is None:
            return  # over by now; that it is not forgotten is for other books
        known = self.known[name]
        seen = Known(call.caller_number, call.customer, dict(call.attached), _told(call))
        seen.steps = [step.node for step in call.path]
        wanted = Known(known.number, known.customer, known.attached, known.told, known.steps[:SHOWN_STEPS])
        hold(seen == wanted, Promise.DATA, "what is known of a call is shown", why, seen, wanted)


def _told(call: Call) -> tuple[str, str] | None:
    return (call.handover.agent, call.handover.note) if call.handover is not None else None
