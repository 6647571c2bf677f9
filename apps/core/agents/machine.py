"""Agent states and which may follow which: a table.

``APART`` (DISCONNECTED and LOGGED_OUT) can be reached from several states; the table lists every pair that is legal.
"""

from __future__ import annotations

from enum import StrEnum


class AgentState(StrEnum):
    LOGGED_OUT = "LOGGED_OUT"
    PAUSED = "PAUSED"
    READY = "READY"
    OFFERED = "OFFERED"
    DIALING = "DIALING"
    TALKING = "TALKING"
    HOLDING = "HOLDING"
    CONSULTING = "CONSULTING"
    CONFERENCING = "CONFERENCING"
    WRAP_UP = "WRAP_UP"
    NOT_RESPONDING = "NOT_RESPONDING"
    DISCONNECTED = "DISCONNECTED"


_S = AgentState

IN_CALL = frozenset({_S.DIALING, _S.TALKING, _S.HOLDING, _S.CONSULTING, _S.CONFERENCING})
BUSY = IN_CALL | {_S.OFFERED, _S.WRAP_UP}
"""States in which Ready, Pause and Logout only set the next state."""

RESTING = frozenset({_S.READY, _S.PAUSED, _S.LOGGED_OUT})
"""States an agent may be sent to when a call or wrap-up ends."""

TRANSITIONS: dict[AgentState, frozenset[AgentState]] = {
    _S.LOGGED_OUT: frozenset({_S.PAUSED}),
    _S.PAUSED: frozenset({_S.READY, _S.DIALING, _S.LOGGED_OUT, _S.PAUSED, _S.DISCONNECTED}),
    _S.READY: frozenset({_S.PAUSED, _S.OFFERED, _S.DIALING, _S.LOGGED_OUT, _S.DISCONNECTED}),
    _S.OFFERED: frozenset(
        {
            _S.TALKING,
            _S.DIALING,  # who is to be called back is called when the agent has answered
            _S.READY,
            _S.NOT_RESPONDING,
            _S.PAUSED,
            _S.LOGGED_OUT,
            _S.DISCONNECTED,
        }
    ),
    _S.DIALING: frozenset({_S.TALKING, _S.WRAP_UP, _S.READY, _S.PAUSED, _S.LOGGED_OUT, _S.DISCONNECTED}),
    _S.TALKING: frozenset({_S.HOLDING, _S.CONSULTING, _S.CONFERENCING, _S.WRAP_UP, _S.DISCONNECTED}),
    _S.HOLDING: frozenset({_S.TALKING, _S.CONSULTING, _S.WRAP_UP, _S.DISCONNECTED}),
    _S.CONSULTING: frozenset({_S.TALKING, _S.HOLDING, _S.CONFERENCING, _S.WRAP_UP, _S.DISCONNECTED}),
    _S.CONFERENCING: frozenset({_S.TALKING, _S.WRAP_UP, _S.DISCONNECTED}),
    _S.WRAP_UP: frozenset({_S.READY, _S.PAUSED, _S.LOGGED_OUT, _S.WRAP_UP, _S.DISCONNECTED}),
    _S.NOT_RESPONDING: frozenset({_S.READY, _S.PAUSED, _S.LOGGED_OUT, _S.DISCONNECTED}),
    _S.DISCONNECTED: frozenset(
        {
            _S.PAUSED,
            _S.READY,
            _S.OFFERED,
            _S.DIALING,
            _S.TALKING,
            _S.HOLDING,
            _S.CONSULTING,
            _S.CONFERENCING,
            _S.WRAP_UP,
            _S.NOT_RESPONDING,
            _S.LOGGED_OUT,
        }
    ),
}


def may_follow(state: AgentState, following: AgentState) -> bool:
    return following in TRANSITIONS[state]
