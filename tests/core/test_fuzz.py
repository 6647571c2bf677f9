"""Any event in any state: nothing raises, nothing is stuck, and the fold of the facts is the state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core import config as cfg
from apps.core import events as e
from apps.core.codec import decode, encode
from apps.core.ids import LegId
from tests.core.browser_phones import browser_centre
from tests.core.indexes import anew, told
from tests.core.scene import SWITCH, TENANT, Scene

AGENTS = ["ann", "bob", "cai", "nobody"]
CUSTOMERS = ["cust1", "cust2", "cust3"]
LEGLESS = ("closing", "consulting", "conferencing")  # the customer may be gone


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, int, int, int]]:
    """(what, three numbers it may use); legs and calls are picked from what exists when the step is done."""
    kinds = st.sampled_from([*_STEPS])
    small = st.integers(0, 40)
    return draw(st.lists(st.tuples(kinds, small, small, small), max_size=60))


def _leg(scene: Scene, n: int) -> LegId:
    legs = [*scene.state.legs, *scene.state.kept_legs, *CUSTOMERS, "stranger"]
    return LegId(legs[n % len(legs)])


def _request(scene: Scene, a: int, b: int, c: int) -> e.Event:
    calls = [*scene.state.calls, "none"]
    base = {"tenant": TENANT, "cmd_id": f"f{a}{b}{c}{scene.now_ms}", "actor": "x", "agent": AGENTS[a % 4]}
    call = calls[c % len(calls)]
    target = [("queue", "tech"), ("agent", "cai"), ("number", "10086"), ("queue", "x"), ("number", "()")][c % 5]
    kinds: list[e.Event] = [
        e.AgentSignedIn(**base), e.AgentWentReady(**base), e.AgentPaused(**base, reason="tea"),
        e.AgentSignedOut(**base), e.AgentConnectionLost(**base), e.AgentConnectionRestored(**base),
        e.AnswerRequested(**base, call=call), e.DeclineRequested(**base, call=call),
        e.HangUpRequested(**base, call=call), e.HoldRequested(**base, call=call, version=b),
        e.ResumeRequested(**base, call=call), e.WrapUpFinished(**base, call=call, disposition="sold"),
        e.WrapUpExtended(**base, call=call), e.AgentForced(**base, state="READY"),
        e.TransferRequested(**base, call=call, kind=e.TransferKind(target[0]), target=target[1]),
        e.AgentWentReady(**base), e.AgentSignedIn(**base),
        e.DialRequested(**base, number=["13912345678", "10086", "+4412", "()", "110"][c % 5]),
        e.DialRequested(**base, number="10086"),
        e.MuteRequested(**base, call=call), e.UnmuteRequested(**base, call=call),
        e.DigitsRequested(**base, call=call, digits=["1", "12#", "", "x"][c % 4]),
        e.RecordingPauseRequested(**base, call=call), e.RecordingResumeRequested(**base, call=call),
        e.OfferAcknowledged(**base, call=call, live=bool(c & 1)), e.MediaReady(**base, ready=bool(c & 1), epoch=c % 3),
        e.MediaClaimed(**base, page=f"page-{c % 3}"), e.DraftSaved(**base, call=call, note="n"),
        e.AgentForced(**base, state=["READY", "PAUSED", "LOGGED_OUT", "x"][c % 4], now=True),
        e.RejoinRequested(**base, call=call), e.RejoinRequested(**base, call=call),
        *_attended(base, call, target, b),
        e.HelpRequested(**base, call=call, wanted=bool(c & 1)), e.CallMarkRequested(**base, call=call),
    ]  # fmt: skip
    return kinds[b % len(kinds)]


def _attended(base: dict[str, Any], call: str, target: tuple[str, str], b: int) -> list[e.Event]:
    kind, where = [target, ("agent", "cai"), ("extension", "10cai"), ("queue", "tech")][b % 4]
    return [
        e.ConsultRequested(**base, call=call, kind=e.TransferKind(kind), target=where),
        e.ConsultSwapRequested(**base, call=call), e.ConsultCompleteRequested(**base, call=call),
        e.ConsultCancelRequested(**base, call=call), e.ThreeWayRequested(**base, call=call),
    ]  # fmt: skip


def _consult_step(scene: Scene, a: int, b: int, c: int) -> e.Event:
    """By an agent who can: talks or consults."""
    able = [name for name, agent in scene.state.agents.items() if agent.state in ("TALKING", "CONSULTING", "HOLDING")]
    name = able[a % len(able)] if able else "ann"
    call = scene.state.agents[name].call or "none"
    base = {"tenant": TENANT, "cmd_id": f"g{a}{b}{c}{scene.now_ms}", "actor": "x", "agent": name}
    kinds = _attended(base, call, ("number", "10086"), b)
    talking = scene.state.agents[name].state in ("TALKING", "HOLDING")
    return kinds[0] if talking else kinds[c % len(kinds)]


def _right_moves(scene: Scene, n: int, b: int) -> e.Event:
    """What a switch would report next of a consult: somebody parked, came back, joined, or two were bridged."""
    calls = [call for call in scene.state.calls.values() if call.consult is not None]
    if not calls:
        return e.DeadlinePassed()
    call = calls[n % len(calls)]
    consult = call.consult
    assert consult is not None
    if consult.aim == "merge":
        trio = [leg for leg in (call.leg, consult.leg, consult.other) if leg is not None]
        return e.LegJoined(switch=SWITCH, leg=trio[b % len(trio)], room=call.id)
    if consult.asked is not None:
        return e.LegsBridged(switch=SWITCH, leg=consult.asked[0], other=consult.asked[1])
    far = [leg for leg in call.legs.values() if leg.id != call.leg and leg.state != "idle"]
    if b % 3 == 0 or not far:
        return e.CallArrived(switch=SWITCH, leg=call.leg, did="4001", caller_number="1", call=call.id)
    return e.LegParked(switch=SWITCH, leg=far[b % len(far)].id)


def _snapshot(scene: Scene, a: int, b: int, c: int) -> e.Event:
    legs = []
    for number, (leg, call_id) in enumerate(list(scene.state.legs.items())):
        if (a >> (number % 5)) & 1:
            continue
        call = scene.state.calls[call_id]
        legs.append(
            e.SnapshotLeg(
                leg=leg, call=call_id, role=call.legs[leg].role, answered=bool(b & 1), controlled=bool(c & 1),
                in_room=bool(b & 4) and (call.three_way is not None or call.consult is not None),
                bridged_to=call.bridge.leg if b & 2 and call.bridge and leg == call.leg else None,
            )
        )  # fmt: skip
    registered = [None, ("10ann", "10bob", "10cai"), ("10ann",)][c % 3]
    return e.SwitchSnapshot(switch=SWITCH, legs=tuple(legs), registered=registered)


_STEPS = {
    "arrive": lambda s, a, b, c: e.CallArrived(
        switch=SWITCH, leg=LegId(CUSTOMERS[a % 3]), did="4001" if b % 8 else "9", caller_number="1",
        call=next(iter(s.state.calls), None) if c % 5 == 0 else None,
    ),
    "digit": lambda s, a, b, c: e.DigitPressed(switch=SWITCH, leg=_leg(s, a), digit="0123456789*#x"[b % 13]),
    "ring": lambda s, a, b, c: e.LegRinging(switch=SWITCH, leg=_leg(s, a)),
    "answered": lambda s, a, b, c: e.LegAnswered(switch=SWITCH, leg=_leg(s, a)),
    "parked": lambda s, a, b, c: e.LegParked(switch=SWITCH, leg=_leg(s, a)),
    "parked2": lambda s, a, b, c: e.LegParked(switch=SWITCH, leg=_leg(s, a)),
    "hangup": lambda s, a, b, c: e.LegHungUp(
        switch=SWITCH, leg=_leg(s, a), cause=list(e.HangupCause)[b % len(e.HangupCause)]
    ),
    "bridged": lambda s, a, b, c: e.LegsBridged(switch=SWITCH, leg=_leg(s, a), other=_leg(s, b)),
    "bridged_right": lambda s, a, b, c: _right_bridge(s, a),
    "parked_right": lambda s, a, b, c: _right_park(s, a),
    "queue": lambda s, a, b, c: e.DigitPressed(switch=SWITCH, leg=LegId(CUSTOMERS[a % 3]), digit="1"),
    "consult": _consult_step, "consult2": _consult_step,
    "moves": lambda s, a, b, c: _right_moves(s, a, b), "moves2": lambda s, a, b, c: _right_moves(s, a, b),
    "moves3": lambda s, a, b, c: _right_moves(s, a, b),
    "joined": lambda s, a, b, c: e.LegJoined(switch=SWITCH, leg=_leg(s, a), room="x"),
    "unbridged": lambda s, a, b, c: e.LegsUnbridged(switch=SWITCH, leg=_leg(s, a), other=_leg(s, b)),
    "bridge_failed": lambda s, a, b, c: e.BridgeFailed(switch=SWITCH, leg=_leg(s, a), other=_leg(s, b), reason="-ERR"),
    "held": lambda s, a, b, c: e.LegHeld(switch=SWITCH, leg=_leg(s, a)),
    "unheld": lambda s, a, b, c: e.LegUnheld(switch=SWITCH, leg=_leg(s, a)),
    "muted": lambda s, a, b, c: (e.LegMuted if b & 1 else e.LegUnmuted)(switch=SWITCH, leg=_leg(s, a)),
    "rec_start": lambda s, a, b, c: _recording(s, a, e.RecordingStarted),
    "masked": lambda s, a, b, c: _recording(s, a, e.RecordingMasked if b & 1 else e.RecordingUnmasked),
    "device": lambda s, a, b, c: e.DeviceChanged(
        switch=SWITCH, address=f"10{AGENTS[a % 4]}", registered=bool(b & 1)
    ),
    "played": lambda s, a, b, c: e.PlayEnded(
        switch=SWITCH, leg=_leg(s, a), play=f"r1-p{b}", outcome=list(e.PlayOutcome)[c % 3]
    ),
    "rec_stop": lambda s, a, b, c: e.RecordingStopped(
        switch=SWITCH, leg=_leg(s, a), recording=f"r1-r{b}", duration_ms=c
    ),
    "link_down": lambda s, a, b, c: e.LinkDown(switch=SWITCH, reason="x"),
    "link_up": lambda s, a, b, c: e.LinkUp(switch=SWITCH, boot=f"b{a % 2}"),
    "snapshot": _snapshot,
    "callback": lambda s, a, b, c: _callback(s, a, b, c),
    "hours": lambda s, a, b, c: e.ConfigChanged(config=lively_centre(a % 3 + 2, ["", "", "closed", "open"][b % 4])),
    "queues": lambda s, a, b, c: e.ConfigChanged(config=rearranged(lively_centre(a % 3 + 2), b)),
    "request": _request, "request2": _request, "request3": _request,
}  # fmt: skip


def _callback(scene: Scene, a: int, b: int, c: int) -> e.Event:
    base = {"tenant": TENANT, "cmd_id": f"b{a}{b}{c}{scene.now_ms}", "actor": "x"}
    calls = [*scene.state.calls, "none"]
    if a % 4 == 0:
        return e.CallbackCancelRequested(**base, call=calls[b % len(calls)])
    number = ["13912345678", "10086", "+8613912345678"][c % 3]
    return e.CallbackRequested(
        **base, queue=["sales", "tech"][b % 2], number=number, due_ms=scene.now_ms + 5_000 if a & 1 else None
    )


def lively_centre(version: int = 1, override: str = "") -> cfg.CenterConfig:
    """Queues with all that happens over the day, in minutes: one calls the agent back first, one the customer."""
    base = browser_centre("ann")
    offer = cfg.CallbackOffer(key="1", retry_ms=10_000, window_ms=90_000, attempts=2)
    sales = cfg.QueueLife(
        calendar="1/main", callback=offer, comfort=({"zh": ("c.wav",)},), comfort_every_ms=4_000,
        tell_every_ms=5_000, tell_position=True, no_agents=cfg.NoAgents.NOBODY_SERVING, no_agents_grace_ms=15_000,
        closing=cfg.ClosingTime.ANNOUNCE,
    )  # fmt: skip
    tech = cfg.QueueLife(callback=replace(offer, agent_first=False), max_callers=1, calendar="1/main",
                         closing=cfg.ClosingTime.OVERFLOW)  # fmt: skip
    flow = cfg.Overflow(kind=cfg.OverflowKind.FLOW, target="hot")
    queues = {
        "sales": replace(base.queues["sales"], life=sales,
                         overflow=cfg.Overflow(kind=cfg.OverflowKind.QUEUE, target="tech")),
        "tech": replace(base.queues["tech"], life=tech, overflow=flow),
    }  # fmt: skip
    cai = base.agents["cai"]
    assert cai.device is not None
    agents = {**base.agents, "cai": replace(cai, device=replace(cai.device, kept_open=True))}
    calendars = {"1/main": replace(base.calendars["1/main"], override=override)}
    return replace(base, version=version, queues=queues, calendars=calendars, agents=agents)


def rearranged(base: cfg.CenterConfig, n: int) -> cfg.CenterConfig:
    """Queues as somebody leaves them who works on them while calls come in."""
    sales, tech = base.queues["sales"], base.queues["tech"]
    if n % 5 == 1:
        sales = replace(sales, strategy=cfg.Strategy.FEWEST_CALLS, ageing_s=10)
    if n % 5 == 2:
        sales = replace(sales, strategy=cfg.Strategy.RING_ALL)
    queues = {"sales": sales} if n % 5 == 3 else {"sales": sales, "tech": tech}
    if n % 5 == 4:
        queues["vip"] = replace(tech, id="vip", name="VIP")
    members = {
        name: {
            queue: one.queues.get(queue, cfg.Membership()) for queue in queues if queue in one.queues or queue == "vip"
        }
        for name, one in base.agents.items()
    }
    agents = {name: replace(one, queues=members[name]) for name, one in base.agents.items()}
    return replace(base, queues=queues, agents=agents)


_QUICK = {"consult", "consult2", "moves", "moves2", "moves3"}  # a switch does these within milliseconds
_REINDEXED = {"link_up", "link_down", "hours", "queues"}


def _right_bridge(scene: Scene, n: int) -> e.Event:
    wanted = [call for call in scene.state.calls.values() if call.bridge is not None]
    if not wanted:
        return e.LinkUp(switch=SWITCH, boot="b1")
    call = wanted[n % len(wanted)]
    assert call.bridge is not None
    return e.LegsBridged(switch=SWITCH, leg=call.bridge.leg, other=call.leg)


def _recording(scene: Scene, n: int, kind: type[Any]) -> e.Event:
    """Of a call that is recorded, where there is one."""
    recorded = [call for call in scene.state.calls.values() if call.recording is not None]
    if not recorded:
        return e.DeadlinePassed()
    call = recorded[n % len(recorded)]
    assert call.recording is not None
    event: e.Event = kind(switch=SWITCH, leg=call.leg, recording=call.recording.id)
    return event


def _right_park(scene: Scene, n: int) -> e.Event:
    offered = [call.offer.leg for call in scene.state.calls.values() if call.offer is not None]
    dialed = [leg for call in scene.state.calls.values() for leg in call.legs if leg.startswith("r1-l")]
    legs = offered or dialed or [LegId("stranger")]
    return e.LegParked(switch=SWITCH, leg=legs[n % len(legs)])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps())
def test_any_event_in_any_state(plan: list[tuple[str, int, int, int]]) -> None:
    scene = Scene(lively_centre())
    scene.ask(e.AgentSignedIn, "ann")
    scene.ask(e.MediaReady, "ann", ready=True)
    scene.ready("ann", "bob", "cai")
    for line in list(scene.state.kept_legs):  # of "cai", whose line stays open
        scene.feed(e.LegParked(switch=SWITCH, leg=line))
    for kind, a, b, c in plan:
        scene.feed(_STEPS[kind](scene, a, b, c))
        scene.wait(c / 4 if kind not in _QUICK else c / 400)
        _promises(scene)
        if kind in _REINDEXED:
            assert told(scene.engine.center) == told(anew(scene.engine.center))
    assert told(scene.engine.center) == told(anew(scene.engine.center))
    assert scene.folded() == scene.state
    assert [decode(encode(fact)) for fact in scene.facts] == scene.facts
    _quiesce(scene)


def _promises(scene: Scene) -> None:
    """No two calls with one agent, no agent offered or talking without a call that knows it."""
    holding: dict[str, str] = {}
    for call in scene.state.calls.values():
        parts = (call.offer, call.bridge, call.dial, call.consult, call.three_way, call.rejoin)
        asked = {part.other_agent for part in (call.consult, call.three_way) if part is not None}
        for agent in (asked | {part.agent for part in parts if part is not None}) - {None}:
            assert holding.setdefault(agent, call.id) == call.id
        assert call.state != "arrived"
        assert (call.consult is not None) == (call.state == "consulting")
        assert (call.three_way is not None) == (call.state == "conferencing")
        assert call.leg in call.legs or call.dial or call.callback or call.state in LEGLESS
    for name, agent in scene.state.agents.items():
        if agent.state in ("OFFERED", "DIALING", "TALKING", "HOLDING", "CONSULTING", "CONFERENCING"):
            own = scene.state.calls[agent.call].legs.values() if agent.call in scene.state.calls else ()
            leaving = any(leg.agent == name for leg in own)  # was asked; free when the telephone is
            assert holding.get(name) == agent.call or leaving, (name, agent)


def _quiesce(scene: Scene) -> None:
    """The switch says that nothing is left: every call becomes history and no agent stays in one."""
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    for _ in range(4):
        scene.wait(40)
        scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=()))
    assert not scene.state.calls and not scene.state.legs and not scene.state.lent_legs
    scene.wait(700)
    resting = {"READY", "PAUSED", "LOGGED_OUT", "NOT_RESPONDING"}
    assert {str(agent.state) for agent in scene.state.agents.values()} <= resting
    assert scene.folded() == scene.state
