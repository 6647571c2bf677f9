"""A wall of 1000 agents with 60 changes a second for 60 s. ``make bench-wall``.

Prints the rows in the document, the page's tasks above 50 ms, its memory at both ends, and whether the table at the end
is what was said last. Playwright plays the websocket; the page and its server are real.
"""

from __future__ import annotations

import argparse
import os

from playwright.sync_api import CDPSession, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, PASSWORD, running_demo
from tests.browser.wall_crowd import AGENTS, CHANGES_PER_S, Floor, crowd, keep_changing, shown

MOST_ROWS, LONG_MS = 60, 50


def heap_mb(inspector: CDPSession) -> float:
    inspector.send("HeapProfiler.collectGarbage")
    used: float = inspector.send("Runtime.getHeapUsage")["usedSize"]
    return used / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    agents = crowd()
    with running_demo() as demo, sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_context(base_url=demo.url, viewport={"width": 1366, "height": 768}).new_page()
        floor = Floor(page, agents=agents)
        page.goto("/login/")
        page.fill("[name=username], [name=login]", "huang")
        page.fill("[name=password]", PASSWORD)
        page.click("[data-testid=sign-in] button")
        page.wait_for_selector(f"[data-testid=agents-table][aria-rowcount='{AGENTS + 1}']")
        page.wait_for_timeout(2000)
        inspector = page.context.new_cdp_session(page)
        before = heap_mb(inspector)
        tasks = keep_changing(page, floor, agents, asked.seconds)
        after, rows = heap_mb(inspector), shown(page)
        browser.close()
    long = sorted(task for task in tasks if task > LONG_MS)
    end = "what was said last" if all(agents[key]["state"] == state for key, state in rows) else "SOMETHING ELSE"
    print(
        f"wall of {AGENTS} agents, {CHANGES_PER_S} changes/s for {asked.seconds:.0f} s: {len(rows)} rows (at most"
        f" {MOST_ROWS}), tasks above {LONG_MS} ms: {long or 'none'}, heap {before:.1f} -> {after:.1f} MB, shows {end}"
    )


if __name__ == "__main__":
    main()
