"""Threads outlive the event loop when the web process ends: what they ask of the hub then must not fail."""

from __future__ import annotations

import asyncio

from apps.live import from_threads
from apps.live import hub as hubs


def test_a_sign_off_after_the_loop_has_ended_is_no_error() -> None:
    async def start() -> None:
        hubs.hub()

    asyncio.run(start())
    assert hubs.running() is None
    from_threads.expel_user("1")
