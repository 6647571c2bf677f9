"""PostgreSQL away for a minute: calls go on, and history is complete afterwards.

Redis is away for all tests here: the engine's environment names an address where nobody listens.
"""

from __future__ import annotations

import time

from apps.core.calls.model import CallState
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import call_into_sales, finish_wrap_up, in_state, talking
from tests.switch_live.waiting import eventually

OUTAGE_S = 60
BEFORE, DURING, ACROSS = (f"1310000000{n}" for n in range(3))


def test_calls_go_on_while_postgresql_is_stopped_and_nothing_is_missing_afterwards(rig: Rig) -> None:
    agents = [rig.center.agent(name) for name in ("李娜", "王芳")]
    rig.seat(*agents)
    first, second = agents
    rig.center.make_ready(first)
    talker = call_into_sales(rig, BEFORE)
    before = talking(rig, BEFORE, first)
    across = call_into_sales(rig, ACROSS)
    in_state(rig, ACROSS, CallState.WAITING)

    stopped = time.monotonic()
    rig.center.postgres.stop()
    talker.hang_up()
    finish_wrap_up(rig, first, before.id)
    during = talking(rig, ACROSS, first)
    rig.center.make_ready(second)
    caller = call_into_sales(rig, DURING)
    served = talking(rig, DURING, second)
    caller.hang_up()
    finish_wrap_up(rig, second, served.id)
    assert rig.center.healthy()
    eventually(lambda: time.monotonic() - stopped > OUTAGE_S, OUTAGE_S + 5, "the minute is over")
    rig.center.postgres.start()

    across.hang_up()
    finish_wrap_up(rig, first, during.id)
    for number in (BEFORE, ACROSS, DURING):
        history = rig.center.history(number, 60)
        assert history["outcome"] == "served" and history["talk_ms"] > 0 and history["wrap_up_ms"] > 0
        query = "SELECT status FROM recordings_recording WHERE call_id = %s"
        assert [row["status"] for row in rig.center.rows(query, history["id"])] == ["done"]
    numbered = rig.center.rows(
        "SELECT epoch, count(*) AS stored, max(seq) AS last FROM calls_factrecord GROUP BY epoch"
    )
    assert all(row["stored"] == row["last"] for row in numbered), "every fact is in the database once"
