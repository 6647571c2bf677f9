"""An agent is gone 4 s after the last sign of their pages, and the engine is told until it knows."""

from __future__ import annotations

from apps.core.agents.machine import AgentState
from apps.live.presence import GONE_AFTER_S, Presence, Seat

SEAT = Seat("1", "10")


def test_the_engine_is_told_once_and_again_only_while_it_disagrees() -> None:
    presence = Presence()
    presence.beat(SEAT, 0.0)
    state = AgentState.READY
    assert presence.due(GONE_AFTER_S - 0.1, lambda seat: state) == []
    assert presence.due(GONE_AFTER_S, lambda seat: state) == [(SEAT, False)]
    assert presence.due(GONE_AFTER_S + 1, lambda seat: state) == []
    assert presence.due(GONE_AFTER_S + 2, lambda seat: state) == [(SEAT, False)]
    state = AgentState.DISCONNECTED
    assert presence.due(GONE_AFTER_S + 10, lambda seat: state) == []
    presence.beat(SEAT, 20.0)
    assert presence.due(20.1, lambda seat: state) == [(SEAT, True)]
    state = AgentState.READY
    assert presence.due(23.0, lambda seat: state) == []


def test_who_signed_out_is_no_longer_watched() -> None:
    presence = Presence()
    presence.beat(SEAT, 0.0)
    assert presence.due(60.0, lambda seat: AgentState.LOGGED_OUT) == []
    assert presence.due(61.0, lambda seat: AgentState.READY) == []


def test_an_agent_without_a_page_here_is_never_declared_gone() -> None:
    assert Presence().due(1e9, lambda seat: AgentState.READY) == []
