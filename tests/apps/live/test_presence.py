"""An agent is gone 4 s after the last sign of their pages, and the engine is told until it knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.agents.machine import AgentState
from apps.live.presence import GONE_AFTER_S, RETURN_WITHIN_S, Presence, Seat
from apps.live.watch_list import WatchList

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


def test_a_standstill_of_ours_is_nobodys_fault_and_brings_nobody_back() -> None:
    gone = Seat("1", "11")
    presence = Presence()
    presence.beat(gone, 0.0)
    presence.beat(SEAT, 5.0)
    states = {SEAT: AgentState.READY, gone: AgentState.DISCONNECTED}
    presence.excuse(7.0, 13.0)  # stood still from 6 to 13
    assert presence.due(13.0, states.__getitem__) == []
    assert presence.due(5.0 + 7.0 + GONE_AFTER_S, states.__getitem__) == [(SEAT, False)]


def test_who_does_not_come_back_to_the_next_process_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    earlier = WatchList(path)
    assert earlier.read() == set()
    earlier.keep({SEAT, Seat("1", "11")})
    presence = Presence()
    presence.resume(WatchList(path).read(), 100.0)
    presence.beat(Seat("1", "11"), 109.0)
    assert presence.due(100.0 + RETURN_WITHIN_S - 0.1, lambda seat: AgentState.READY) == []
    assert presence.due(100.0 + RETURN_WITHIN_S, lambda seat: AgentState.READY) == [(SEAT, False)]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a":1}', b"\xff", b"[[1,2,3]]"])
def test_a_broken_list_is_no_list(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(content)
    assert WatchList(path).read() == set()
