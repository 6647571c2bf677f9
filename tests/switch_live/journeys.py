"""How callers and agents of the tests get somewhere: from the first ring to a talk."""

from __future__ import annotations

from collections.abc import Callable

from apps.core.agents.machine import AgentState
from apps.core.calls.model import Call, CallState
from apps.core.config import AgentConfig
from apps.core.events import AgentWentReady, WrapUpFinished
from apps.core.ids import CallId
from tests.switch_live.conftest import Rig
from tests.switch_live.phones import Caller
from tests.switch_live.waiting import eventually

SALES_KEYS = "11"  # Chinese, sales
SALES_AGENTS = ("王芳", "李娜")


def until(rig: Rig, number: str, wanted: Callable[[Call], object], what: str, timeout_s: float = 20.0) -> Call:
    """The live call of this number once ``wanted`` holds."""

    def look() -> Call | None:
        call = rig.center.live_call(number)
        return call if call is not None and wanted(call) else None

    found = eventually(look, timeout_s, f"{number}: {what}, see {rig.center.log}")
    assert found is not None
    return found


def in_state(rig: Rig, number: str, state: CallState, timeout_s: float = 20.0) -> Call:
    return until(rig, number, lambda call: call.state is state, state.value, timeout_s)


def at_node(rig: Rig, number: str, node: str) -> Call:
    return until(rig, number, lambda call: _node(call) == node, f"at {node}")


def _node(call: Call) -> str:
    return call.ivr.position.node if call.ivr is not None and call.ivr.position is not None else ""


def call_in_menu(rig: Rig, number: str, display: str = "", ears: int | None = None) -> Caller:
    caller = rig.caller(number=number, display=display, ears=ears)
    at_node(rig, number, "lang")
    return caller


def call_into_sales(rig: Rig, number: str, display: str = "") -> Caller:
    """Through the menus; returns when the caller stands in line or further."""
    caller = call_in_menu(rig, number, display)
    caller.press(SALES_KEYS[0])
    at_node(rig, number, "main")
    caller.press(SALES_KEYS[1])
    until(rig, number, lambda call: call.state not in (CallState.ARRIVED, CallState.IVR), "out of the menu")
    return caller


def talking(rig: Rig, number: str, agent: AgentConfig, timeout_s: float = 20.0) -> Call:
    """The call once it talks with this agent."""
    call = until(
        rig,
        number,
        lambda call: call.state is CallState.TALKING and call.bridge is not None and call.bridge.agent == agent.id,
        f"talking with {agent.name}",
        timeout_s,
    )
    assert rig.center.agent_state(agent.id) is AgentState.TALKING
    return call


def finish_wrap_up(rig: Rig, agent: AgentConfig, call: CallId, disposition: str = "resolved") -> None:
    """The agent notes what it was about, and takes the next caller."""
    rig.center.wait_for(agent, AgentState.WRAP_UP)
    rig.center.ask(AgentWentReady(**rig.center.new_request(agent)))
    rig.center.ask(
        WrapUpFinished(**rig.center.new_request(agent), call=call, disposition=disposition, note="live test")
    )
    eventually(lambda: rig.center.agent_state(agent.id) is not AgentState.WRAP_UP, 20, f"{agent.name} done")
