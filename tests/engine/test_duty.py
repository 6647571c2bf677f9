"""What an engine asks the others before it leads on without the switch that decides."""

from __future__ import annotations

import contextlib

import pytest
from aiohttp import web

from apps.core.state import State
from apps.engine.duty import Duty
from tests.engine.rig import Host


@pytest.mark.parametrize(
    ("role", "term", "yields"),
    [("leading", 7, True), ("unsure", 7, True), ("leading", 0, False), ("standing_by", 7, False)],
)
async def test_a_later_lead_ends_ours_whether_or_not_it_is_sure_of_itself(
    host: Host, role: str, term: int, yields: bool
) -> None:
    async def health(request: web.Request) -> web.Response:
        return web.json_response({"role": role, "term": term}, status=200 if role == "leading" else 503)

    app = web.Application()
    app.router.add_get("/health", health)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    doors = ["http://127.0.0.1:1", f"http://127.0.0.1:{runner.addresses[0][1]}"]
    duty = Duty(
        host.journal, State(), number=1, doors=doors, token="right", take_over=lambda claim, state: None,
        confirmed=lambda: None, ended=lambda: None, replacing=contextlib.nullcontext,
    )  # fmt: skip
    assert bool(await duty._contested()) is yields
    await runner.cleanup()
