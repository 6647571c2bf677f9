"""Who waits first: priority, ageing, special customers and numbers, across queues, and in a place taken up again."""

from __future__ import annotations

from dataclasses import replace

from apps.core import events as e
from apps.core import facts as f
from apps.core.config import Membership, QueueConfig
from apps.core.queues.ordering import place
from tests.core.routing import able, caller, office, rung, served
from tests.core.scene import SWITCH, Scene

OTHER = QueueConfig(id="other", tenant="1", name="Other", wrap_up_ms=0)  # type: ignore[arg-type]


def number(scene: Scene, did: str, *, priority: int | None = None, queue: str = "") -> None:
    """One more number of ours, to the same flow or straight into a queue."""
    config = scene.state.config
    flows = dict(config.flows)
    flow = "hot"
    if queue:
        flow = f"to-{queue}"
        nodes = {"ans": {"type": "answer", "on": {"ok": "q"}}, "q": {"type": "enqueue", "queue": queue}}
        document = {**flows["hot"].document, "nodes": nodes, "handlers": {}}  # type: ignore[index]
        flows[flow] = replace(flows["hot"], id=flow, version=flow, document=document)  # type: ignore[index,arg-type]
    known = config.dids[f"{SWITCH}/4001"]
    dids = {**config.dids, f"{SWITCH}/{did}": replace(known, number=did, flow=flow, priority=priority)}  # type: ignore[arg-type]
    scene.feed(e.ConfigChanged(config=replace(config, version=config.version + 1, dids=dids, flows=flows)))


def queue(ageing_s: int) -> QueueConfig:
    return replace(OTHER, ageing_s=ageing_s)


def test_each_step_of_priority_is_worth_so_much_waiting() -> None:
    ageing = queue(30)
    assert place(ageing, 7, 60_000) == place(ageing, 5, 0), "two steps, a minute"
    assert place(ageing, 7, 60_001) > place(ageing, 5, 0) > place(ageing, 7, 59_999)
    assert place(queue(0), 6, 10**9) < place(queue(0), 5, 0), "without ageing nothing makes up for it"
    assert place(queue(0), 5, 7) == place(ageing, 5, 7), "normal priority is the same everywhere"


def test_a_special_number_and_a_special_customer_are_served_first() -> None:
    scene = office(able("ann"), able("bob"), able("cai"))
    number(scene, "4009", priority=8)
    scene.now_ms += 1
    plain = caller(scene, "c1")
    scene.now_ms += 1
    tenant = replace(scene.state.config.tenants["1"], vips=frozenset({"13911112222"}), vip_priority=9)  # type: ignore[index]
    config = replace(scene.state.config, version=9, tenants={"1": tenant})  # type: ignore[dict-item]
    scene.feed(e.ConfigChanged(config=config))
    by_number, by_customer = caller(scene, "c2", did="4009"), caller(scene, "c3", "13911112222")
    assert [call.wait.priority for call in (plain, by_number, by_customer) if call.wait] == [5, 8, 9]
    scene.ready("ann")
    assert rung(by_customer) == ["ann"]
    scene.ready("bob")
    assert rung(by_number) == ["bob"]
    scene.ready("cai")
    assert rung(plain) == ["cai"]


def test_ageing_lets_a_long_wait_win() -> None:
    scene = office(able("ann"), ageing_s=10)
    number(scene, "4009", priority=7)
    plain = caller(scene, "c1")
    scene.wait(21)
    special = caller(scene, "c2", did="4009")
    scene.ready("ann")
    assert rung(plain) == ["ann"] and rung(special) == []


def test_across_queues_the_longest_waiter_is_first() -> None:
    seats = {"sales": Membership(), "other": Membership()}
    scene = office(replace(able("ann"), queues=seats), more={"other": OTHER})  # type: ignore[arg-type]
    number(scene, "4009", queue="other")
    first = scene.arrive("c1", did="4009")
    scene.wait(5)
    second = caller(scene, "c2")
    scene.wait(5)
    third = scene.arrive("c3", did="4009")
    scene.ready("ann")
    for call in (first, second, third):
        assert rung(call) == ["ann"]
        served(scene, call, "ann")


def test_an_agents_own_priority_of_a_queue_comes_before_waiting() -> None:
    seats = {"sales": Membership(priority=8), "other": Membership(priority=3)}
    scene = office(replace(able("ann"), queues=seats), more={"other": OTHER})  # type: ignore[arg-type]
    number(scene, "4009", queue="other")
    longest = scene.arrive("c1", did="4009")
    scene.wait(60)
    preferred = caller(scene, "c2")
    scene.ready("ann")
    assert rung(preferred) == ["ann"] and rung(longest) == []


# --- a place that was left -----------------------------------------------------------------------------------------


def test_who_calls_again_soon_has_the_old_place() -> None:
    scene = office(able("ann"), resume_ms=60_000)
    gone = caller(scene, "c1", "13811112222")
    scene.wait(10)
    other = caller(scene, "c2", "13899990000")
    scene.wait(10)
    scene.hang_up(gone.leg)
    scene.wait(59)
    back = caller(scene, "c3", "13811112222")
    assert (
        back.wait and back.wait.queued_ms == scene.all(f.CallQueued)[0].queued_ms and scene.last(f.CallQueued).resumed
    )
    assert back.wait.entered_ms == scene.now_ms, "rings and tiers count from now on"
    scene.ready("ann")
    assert rung(back) == ["ann"] and rung(other) == []
    assert scene.folded().to_data() == scene.state.to_data()


def test_a_place_is_had_again_once_soon_by_the_same_number_and_in_the_same_queue() -> None:
    ann = replace(able("ann"), queues=dict.fromkeys(("sales", "other"), Membership()))  # type: ignore[arg-type]
    scene = office(ann, resume_ms=60_000, more={"other": replace(OTHER, resume_ms=60_000)})
    number(scene, "4009", queue="other")

    def fresh(leg: str, caller_number: str) -> bool:
        call = caller(scene, leg, caller_number)
        return call.wait is not None and call.wait.queued_ms == scene.now_ms

    for leg, caller_number in (("c1", "13811112222"), ("c2", "anonymous"), ("c3", "13800000000")):
        call = caller(scene, leg, caller_number)
        scene.wait(1)
        scene.hang_up(call.leg)
    assert fresh("c4", "13877778888") and fresh("c5", "anonymous")
    scene.feed(e.CallArrived(switch=SWITCH, leg="c6", did="4009", caller_number="13811112222"))  # type: ignore[arg-type]
    elsewhere = scene.state.call_of("c6")  # type: ignore[arg-type]
    assert elsewhere and elsewhere.wait and elsewhere.wait.queued_ms == scene.now_ms
    assert not fresh("c7", "13811112222") and fresh("c8", "13811112222")
    scene.wait(61)
    assert fresh("c9", "13800000000"), "too late"
