"""Every move of every call in every test of the core goes by the table, and each ends once."""

from __future__ import annotations

import pytest

from apps.core.calls.machine import call_may
from apps.core.calls.model import Call, CallState
from apps.core.center import Center
from apps.core.facts import CallEnded, Fact


@pytest.fixture(autouse=True)
def calls_move_by_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    move = Call.move

    def checked(call: Call, state: CallState, at_ms: int, deadline_ms: int | None = None) -> None:
        assert call.state is state or call_may(call.state, state), f"{state} may not follow {call.state}"
        move(call, state, at_ms, deadline_ms)

    monkeypatch.setattr(Call, "move", checked)


@pytest.fixture(autouse=True)
def calls_end_once(monkeypatch: pytest.MonkeyPatch) -> None:
    emit = Center.emit

    def checked(center: Center, fact: Fact) -> None:
        assert not isinstance(fact, CallEnded) or fact.call in center.state.calls, "a call ends once"
        emit(center, fact)

    monkeypatch.setattr(Center, "emit", checked)
