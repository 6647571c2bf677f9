"""A small centre of two tenants, and random facts about it, for the projection's tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.config import (
    AgentConfig,
    CenterConfig,
    DeviceConfig,
    DeviceKind,
    Membership,
    QueueConfig,
    TenantConfig,
    TrunkConfig,
)
from apps.core.events import HangupCause, LegRole
from apps.core.state import State

START_MS = 1_790_000_000_000
TENANTS = ("1", "2")
SWITCH = "1"


def marked(tenant: str, word: str) -> str:
    """Text that says whose it is: it must never be seen by the other."""
    return f"{word} of tenant-{tenant}"


def agents_of(tenant: str) -> list[str]:
    return [f"{tenant}{index}" for index in range(3)]


def queues_of(tenant: str) -> list[str]:
    return [f"{tenant}{index}" for index in range(5, 7)]


def config(version: int = 1) -> CenterConfig:
    return CenterConfig(
        version=version,
        tenants={
            tenant: TenantConfig(
                id=tenant, name=marked(tenant, "company"), dispositions=("solved",), pause_reasons=("lunch",)
            )
            for tenant in TENANTS
        },
        agents={
            agent: AgentConfig(
                id=agent,
                tenant=tenant,
                name=marked(tenant, "agent"),
                device=DeviceConfig(kind=DeviceKind.SIP, switch=SWITCH, address=f"{tenant}00{agent}"),
                queues=dict.fromkeys(queues_of(tenant), Membership()),
            )
            for tenant in TENANTS
            for agent in agents_of(tenant)
        },
        queues={
            queue: QueueConfig(id=queue, tenant=tenant, name=marked(tenant, "queue"))
            for tenant in TENANTS
            for queue in queues_of(tenant)
        },
        trunks={
            f"{tenant}9": TrunkConfig(
                id=f"{tenant}9", tenant=tenant, switch=SWITCH, name=marked(tenant, "trunk"), gateway="gw"
            )
            for tenant in TENANTS
        },
    )


def configured() -> State:
    state = State()
    state.apply(f.ConfigApplied(at_ms=START_MS, tenant=None, config=config()))
    state.apply(f.SwitchConnected(at_ms=START_MS, tenant=None, switch=SWITCH, boot="b1"))
    return state


_tenant = st.sampled_from(TENANTS)
_at = st.integers(START_MS, START_MS + 600_000)
_number = st.sampled_from(["13800138000", "", "‮evil<script>", "我" * 200])


@st.composite
def facts(draw: st.DrawFn) -> f.Fact:
    """One fact about a call or an agent of either tenant; whether it fits the state is left to chance."""
    tenant = draw(_tenant)
    base: dict[str, Any] = {"at_ms": draw(_at), "tenant": tenant}
    call = f"t{tenant}-c{draw(st.integers(1, 3))}"
    agent = draw(st.sampled_from(agents_of(tenant)))
    queue = draw(st.sampled_from(queues_of(tenant)))
    leg = f"{call}-l1"
    customer = f"{call}-l0"
    return draw(st.sampled_from(_makers(base, call, agent, queue, leg, customer, draw(_number))))()


def _makers(base: dict[str, Any], call: str, agent: str, queue: str, leg: str, customer: str, number: str) -> list[Any]:
    tenant = base["tenant"]
    about = {**base, "call": call}
    deadline = base["at_ms"] + 20_000
    name = marked(tenant, "caller")
    changes = [
        lambda state=state: f.AgentStateChanged(
            **base, agent=agent, state=state.value, prior="PAUSED", call=call if state in _WITH_CALL else None
        )
        for state in AgentState
    ]
    return [
        *changes,
        lambda: f.CallStarted(
            **about, leg=customer, switch=SWITCH, direction=f.Direction.INBOUND, did=marked(tenant, "did"),
            caller_number=number, caller_name=name, trunk="gw",
        ),
        lambda: f.CallQueued(
            **about, queue=queue, needs=(), priority=5, queued_ms=base["at_ms"], deadline_ms=deadline
        ),
        lambda: f.CallDequeued(**about, queue=queue, reason=f.QueueExit.ANSWERED, waited_ms=10),
        lambda: f.LegStarted(
            **about, leg=leg, switch=SWITCH, role=LegRole.AGENT, address="x", agent=agent, queue=queue
        ),
        lambda: f.AgentOffered(
            **about, agent=agent, leg=leg, queue=queue, deadline_ms=deadline, ready_agents=1, waiting_calls=1,
            idle_since_ms=0,
        ),
        lambda: f.OfferEnded(**about, agent=agent, leg=leg, outcome=f.OfferOutcome.ANSWERED),
        lambda: f.CallBridged(**about, leg=leg, other=customer, agent=agent, queue=queue),
        lambda: f.CallHeld(**about, leg=leg),
        lambda: f.CallResumed(**about, leg=leg, held_ms=1),
        lambda: f.RejoinStarted(
            **about, agent=agent, queue=queue, left=leg, held=False, muted=False, deadline_ms=deadline,
            until_ms=deadline,
        ),
        lambda: f.RejoinFailed(**about, agent=agent, reason=f.RejoinEnd.TIMED_OUT),
        lambda: f.CallUnbridged(**about, leg=leg, other=customer, talked_ms=1, deadline_ms=deadline),
        lambda: f.LegEnded(**about, leg=leg, cause=HangupCause.NORMAL),
        lambda: f.CallEnded(**about, outcome=f.CallOutcome.SERVED, cause=HangupCause.NORMAL),
        lambda: f.AgentNextStateSet(**base, agent=agent, next_state="PAUSED"),
        lambda: f.AlarmRaised(**base, kind="queue_unserved", subject=queue, detail=marked(tenant, "alarm")),
        lambda: f.AlarmCleared(**base, kind="queue_unserved", subject=queue),
        lambda: f.TrunkStateChanged(**base, switch=SWITCH, trunk=f"{tenant}9", up=False, detail=""),
        lambda: f.DeviceStateChanged(**base, switch=SWITCH, address=f"{tenant}00{agent}", registered=True),
    ]  # fmt: skip


_WITH_CALL = {AgentState.OFFERED, AgentState.TALKING, AgentState.HOLDING, AgentState.WRAP_UP}
