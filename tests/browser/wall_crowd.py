"""A floor of a thousand agents for a wall's page: its websocket is played by the test."""

from __future__ import annotations

import json
import random
import re
import time
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

AGENTS, CHANGES_PER_S = 1000, 60
STATES = ("READY", "TALKING", "WRAP_UP", "PAUSED", "HOLDING")
WATCH_TASKS = """() => { window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach(
    (entry) => tasks.push(Math.round(entry.duration)))).observe({type: "longtask"}) }"""
SHOWN = """() => [...document.querySelectorAll("[data-testid=agents-table] [data-row]")].map(
    (row) => [row.dataset.row, row.querySelector("[data-state]").dataset.state])"""


def crowd(count: int = AGENTS) -> dict[str, Any]:
    now = round(time.time() * 1000)
    return {
        f"{number}": {
            "id": f"{number}", "name": f"坐席{number:04}", "state": STATES[number % 5], "reason": "", "call": None,
            "since_ms": now - number * 100, "next_state": "", "number": "", "queues": ["客服"], "skills": ["lang:zh"],
        }
        for number in range(count)
    }  # fmt: skip


class Floor:
    """Says what a web process would say; the page's own questions go nowhere."""

    def __init__(self, page: Page, **data: Any) -> None:
        self.seq = 0
        self._sockets: list[WebSocketRoute] = []
        self._data = {"agents": {}, "queues": {}, "figures": {}, **data}
        page.route_web_socket(re.compile(r"/ws/wall/"), self._serve)

    def _serve(self, socket: WebSocketRoute) -> None:
        self._sockets.append(socket)
        self._say(type="snapshot", data=self._data)

    def change(self, **patch: Any) -> None:
        self.seq += 1
        self._say(type="delta", patch=patch)

    def _say(self, **message: Any) -> None:
        engine = {"reachable": True, "loaded": True, "age_s": 0}
        common = {"topic": "wall", "epoch": "e", "seq": self.seq, "engine_ts": round(time.time() * 1000)}
        self._sockets[-1].send(json.dumps({**common, "engine": engine, **message}))


def keep_changing(page: Page, floor: Floor, agents: dict[str, Any], seconds: float) -> list[int]:
    """``CHANGES_PER_S`` for so long. Returns the page's long tasks, ms; ``agents`` is then what should be shown."""
    chance = random.Random(1)
    page.evaluate(WATCH_TASKS)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        changed = {key: agents[key] for key in map(str, chance.sample(range(len(agents)), CHANGES_PER_S // 4))}
        for item in changed.values():
            item.update(state=chance.choice(STATES), since_ms=round(time.time() * 1000))
        floor.change(agents=changed)
        page.wait_for_timeout(250)
    page.wait_for_timeout(500)
    tasks: list[int] = page.evaluate("window.tasks")
    return tasks


def shown(page: Page) -> list[tuple[str, str]]:
    """The rows in the document: agent and state."""
    rows: list[tuple[str, str]] = page.evaluate(SHOWN)
    return rows
