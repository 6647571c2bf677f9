"""Facts as the engine writes them, for calls whose history is known by heart."""

from __future__ import annotations

from typing import Any

from apps.calls.services import StoredFact
from apps.core import facts as f
from apps.core.events import HangupCause, LegRole, TransferKind
from apps.core.facts import Fact

T0 = 1_790_000_000_000


def stored(facts: list[Fact], epoch: str = "e1", first: int = 1) -> list[StoredFact]:
    return [StoredFact(epoch, seq, fact) for seq, fact in enumerate(facts, first)]


def arrival(call: str, at: int = T0, tenant: str = "1", **fields: Any) -> list[Fact]:
    """A call that is answered and stands in the menu."""
    key: dict[str, Any] = {"tenant": tenant, "call": call}
    started = {
        "leg": f"{call}-in",
        "switch": "1",
        "direction": f.Direction.INBOUND,
        "did": "4008005566",
        "caller_number": "13955501100",
        "caller_name": "",
        "trunk": "carrier",
        **fields,
    }
    return [
        f.CallStarted(at_ms=at, **started, **key),
        f.CallAnswered(at_ms=at + 20, **key),
        f.IvrEntered(at_ms=at + 20, flow="1", version="abc", lang="zh", **key),
    ]


def queued(call: str, at: int, queue: str = "1", tenant: str = "1") -> list[Fact]:
    return [
        f.CallQueued(
            at_ms=at,
            tenant=tenant,
            call=call,
            queue=queue,
            needs=(),
            priority=5,
            queued_ms=at,
            deadline_ms=at + 900_000,
        )
    ]


def offer(call: str, at: int, outcome: f.OfferOutcome, agent: str = "1", queue: str = "1", n: int = 1) -> list[Fact]:
    """An agent is rung and after two seconds the offer has ended; answered, the leg is up."""
    key: dict[str, Any] = {"tenant": "1", "call": call}
    leg = f"{call}-a{n}"
    answered = outcome == f.OfferOutcome.ANSWERED
    end = (
        [f.LegConnected(at_ms=at + 2000, leg=leg, **key)]
        if answered
        else [f.LegEnded(at_ms=at + 2000, leg=leg, cause=HangupCause.NO_ANSWER, raw="NO_ANSWER", **key)]
    )
    return [
        f.AgentOffered(
            at_ms=at, agent=agent, leg=leg, queue=queue, deadline_ms=at + 20_000,
            ready_agents=3, waiting_calls=2, idle_since_ms=at - 60_000, **key,
        ),
        f.LegStarted(
            at_ms=at, leg=leg, switch="1", role=LegRole.AGENT, address="1001", agent=agent, queue=queue, **key
        ),
        f.LegRang(at_ms=at + 300, leg=leg, **key),
        *end,
        f.OfferEnded(at_ms=at + 2000, agent=agent, leg=leg, outcome=outcome, **key),
    ]  # fmt: skip


def talk(call: str, at: int, ms: int, agent: str = "1", queue: str = "1", n: int = 1, waited_ms: int = 0) -> list[Fact]:
    key: dict[str, Any] = {"tenant": "1", "call": call}
    leg, other = f"{call}-a{n}", f"{call}-in"
    return [
        f.CallDequeued(at_ms=at, queue=queue, reason=f.QueueExit.ANSWERED, waited_ms=waited_ms, **key),
        f.CallBridged(at_ms=at, leg=leg, other=other, agent=agent, queue=queue, **key),
        f.CallUnbridged(at_ms=at + ms, leg=leg, other=other, talked_ms=ms, deadline_ms=at + ms + 3000, **key),
        f.LegEnded(at_ms=at + ms, leg=leg, cause=HangupCause.NORMAL, **key),
    ]


def ending(call: str, at: int, outcome: f.CallOutcome) -> list[Fact]:
    key: dict[str, Any] = {"tenant": "1", "call": call}
    return [
        f.LegEnded(at_ms=at, leg=f"{call}-in", cause=HangupCause.NORMAL, raw="NORMAL_CLEARING", **key),
        f.CallEnded(at_ms=at, outcome=outcome, cause=HangupCause.NORMAL, **key),
    ]


def served_call(call: str, at: int = T0) -> list[Fact]:
    """Menu 5 s, wait 12 s with one missed offer, talk 60 s with 10 s of hold in it, wrap-up 8 s."""
    key: dict[str, Any] = {"tenant": "1", "call": call}
    talking = talk(call, at + 17_000, 60_000, agent="2", n=2, waited_ms=12_000)
    leg = f"{call}-a2"
    hold = [
        f.CallHeld(at_ms=at + 37_000, leg=leg, **key),
        f.CallResumed(at_ms=at + 47_000, leg=leg, held_ms=10_000, **key),
    ]
    return [
        *arrival(call, at),
        *queued(call, at + 5000),
        *offer(call, at + 6000, f.OfferOutcome.NO_ANSWER, agent="1", n=1),
        *queued(call, at + 8000),
        *offer(call, at + 15_000, f.OfferOutcome.ANSWERED, agent="2", n=2),
        *talking[:2],
        *hold,
        *talking[2:],
        *ending(call, at + 77_000, f.CallOutcome.SERVED),
        f.CallDisposed(at_ms=at + 85_000, agent="2", disposition="resolved", note="账单已核对", wrap_up_ms=8000, **key),
    ]


def transferred_call(call: str, at: int = T0) -> list[Fact]:
    """Served by agent 1 for 20 s, sent on to queue 2, waits 10 s, talks to agent 2 for 30 s."""
    key: dict[str, Any] = {"tenant": "1", "call": call}
    first = talk(call, at + 10_000, 20_000, waited_ms=8000)
    return [
        *arrival(call, at),
        *queued(call, at + 2000),
        *offer(call, at + 8000, f.OfferOutcome.ANSWERED),
        *first[:2],
        f.TransferStarted(at_ms=at + 29_990, agent="1", kind=TransferKind.QUEUE, target="2", **key),
        *first[2:],
        f.CallReattached(at_ms=at + 30_050, leg=f"{call}-in", **key),
        *queued(call, at + 30_050, queue="2"),
        *offer(call, at + 38_050, f.OfferOutcome.ANSWERED, agent="2", queue="2", n=2),
        *talk(call, at + 40_050, 30_000, agent="2", queue="2", n=2, waited_ms=10_000),
        *ending(call, at + 70_050, f.CallOutcome.SERVED),
    ]


def consulted_call(call: str, at: int = T0) -> list[Fact]:
    """Agent 1 talks 10 s, asks agent 2 (5 s until the answer, 5 s of words), is 4 s with the caller again, then all
    three talk 6 s; agent 1 leaves, agent 2 talks 8 s more.
    """
    key: dict[str, Any] = {"tenant": "1", "call": call}
    caller, first, second = f"{call}-in", f"{call}-a1", f"{call}-a2"
    aimed: dict[str, Any] = {"deadline_ms": None, **key}
    t = at + 10_000
    asked = {"agent": "1", "leg": first, "kind": TransferKind.AGENT, "target": "2", "queue": "1"}
    return [
        *arrival(call, at),
        *queued(call, at + 2000),
        *offer(call, at + 8000, f.OfferOutcome.ANSWERED),
        *talk(call, t, 10_000, waited_ms=8000)[:2],
        f.ConsultStarted(
            at_ms=t + 10_000, note="", muted=False, talked_ms=10_000, deadline_ms=t + 13_000, **asked, **key
        ),
        f.CallQueued(
            at_ms=t + 10_000, queue="1", needs=(), priority=5, queued_ms=t + 10_000, deadline_ms=t + 30_000,
            wanted_agent="2", consult=True, **key,
        ),
        *offer(call, t + 13_000, f.OfferOutcome.ANSWERED, agent="2", n=2),
        f.CallDequeued(at_ms=t + 15_000, queue="1", reason=f.QueueExit.ANSWERED, waited_ms=5000, consult=True, **key),
        f.ConsultAnswered(at_ms=t + 15_000, leg=second, agent="2", **key),
        f.PairBridged(at_ms=t + 15_000, leg=first, other=second, with_customer=False, **key),
        f.ConsultAimed(at_ms=t + 20_000, aim=f.Aim.CUSTOMER, **aimed),
        f.PairBridged(at_ms=t + 20_000, leg=first, other=caller, with_customer=True, **key),
        f.ConsultEnded(at_ms=t + 24_000, agent="1", leg=first, end=f.ConsultEnd.MERGED, **key),
        f.ThreeWayBegan(at_ms=t + 24_000, room=call, other=second, other_agent="2", **asked, **key),
        f.LegEnded(at_ms=t + 30_000, leg=first, cause=HangupCause.NORMAL, **key),
        f.ThreeWayLeft(at_ms=t + 30_000, leg=first, agent="1", **key),
        f.ThreeWayEnded(at_ms=t + 30_000, talked_ms=6000, **key),
        *talk(call, t + 30_000, 8000, agent="2", n=2)[1:],
        *ending(call, t + 38_000, f.CallOutcome.SERVED),
    ]  # fmt: skip
