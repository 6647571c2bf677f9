"""The storm of ``tests/bench/takeover.py``, a short one; and that its auditor would notice."""

from __future__ import annotations

from pathlib import Path

from apps.core.calls.model import CallState
from apps.demo.services import PrivatePostgres
from tests.bench.takeover_simulator import Auditor, run
from tests.engine.floor import Floor


async def test_kills_under_load_lose_nobody(tmp_path: Path, own_postgres: PrivatePostgres) -> None:
    outcome = await run(tmp_path, own_postgres.url, kills=2, rate=4, seed=7, say=print)
    assert not outcome.lost and not outcome.wrong, list(outcome.lines())
    assert outcome.talks == outcome.calls > 0 and outcome.begun_anew == 0
    assert len(outcome.takeovers_s) == 2


async def test_the_auditor_names_who_is_lost(floor: Floor) -> None:
    auditor = Auditor(floor)
    cut_off, stuck = floor.place_call(), floor.place_call()
    for caller in (cut_off, stuck):
        await floor.call_in(caller, CallState.WAITING)
    floor.event_socket.on_command(f"expand uuid_kill ${{trunkline_fenced_1_1_x}}{cut_off.uuid} NORMAL_CLEARING")
    floor.hang_up(cut_off)
    outcome = auditor.settle()
    assert [line.split()[0] for line in outcome.lost] == [cut_off.uuid, stuck.uuid]
    assert "hung up on by an engine" in outcome.lost[0] and "stuck" in outcome.lost[1]
