"""Every move of every call in every test of the core goes by the table."""

from __future__ import annotations

import pytest

from apps.core.calls.machine import call_may
from apps.core.calls.model import Call, CallState


@pytest.fixture(autouse=True)
def calls_move_by_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    move = Call.move

    def checked(call: Call, state: CallState, at_ms: int, deadline_ms: int | None = None) -> None:
        assert call.state is state or call_may(call.state, state), f"{state} may not follow {call.state}"
        move(call, state, at_ms, deadline_ms)

    monkeypatch.setattr(Call, "move", checked)
