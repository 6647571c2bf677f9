"""Call and leg states, and which may follow which.

A leg's are held against every report of a switch (``legs.moved``). A call's say what the rules bring about: every move
in every test of the core goes by them (tests/core/conftest.py).
"""

from __future__ import annotations

from apps.core.calls.model import CallState, LegState

_C = CallState
_L = LegState

CALL_TRANSITIONS: dict[CallState, frozenset[CallState]] = {
    _C.ARRIVED: frozenset({_C.IVR, _C.WAITING, _C.DIALING, _C.CLOSING}),
    _C.IVR: frozenset({_C.IVR, _C.WAITING, _C.DIALING, _C.CLOSING}),
    _C.WAITING: frozenset({_C.WAITING, _C.CONNECTING, _C.DIALING, _C.IVR, _C.CLOSING}),
    _C.DIALING: frozenset({_C.CONNECTING, _C.WAITING, _C.CLOSING}),
    _C.CONNECTING: frozenset({_C.CONNECTING, _C.TALKING, _C.RETURNING, _C.WAITING, _C.CLOSING}),
    _C.TALKING: frozenset({_C.RETURNING, _C.CONSULTING, _C.CLOSING}),
    _C.CONSULTING: frozenset({_C.TALKING, _C.CONFERENCING, _C.RETURNING, _C.REJOINING, _C.CLOSING}),
    _C.CONFERENCING: frozenset({_C.CONNECTING, _C.RETURNING, _C.CLOSING}),
    _C.RETURNING: frozenset({_C.RETURNING, _C.WAITING, _C.DIALING, _C.IVR, _C.REJOINING, _C.CLOSING}),
    _C.REJOINING: frozenset({_C.CONNECTING, _C.WAITING, _C.IVR, _C.CLOSING}),
    _C.CLOSING: frozenset({_C.CLOSING}),
}

LEG_TRANSITIONS: dict[LegState, frozenset[LegState]] = {
    _L.DIALED: frozenset({_L.RINGING, _L.ANSWERED, _L.IDLE, _L.BRIDGED}),
    _L.RINGING: frozenset({_L.ANSWERED, _L.IDLE, _L.BRIDGED}),
    _L.ANSWERED: frozenset({_L.IDLE, _L.BRIDGED}),
    _L.IDLE: frozenset({_L.BRIDGED}),
    _L.BRIDGED: frozenset({_L.IDLE}),
}


def leg_may(state: LegState, following: LegState) -> bool:
    return following in LEG_TRANSITIONS[state]


def call_may(state: CallState, following: CallState) -> bool:
    return following in CALL_TRANSITIONS[state]
