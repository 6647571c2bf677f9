"""The supervisors' floor in a real Chromium over the real web, engine and simulated switch."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import time
from typing import Any

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import People, RunningDemo, eventually, in_state
from tests.browser.test_one_call import choose


def row(wall: Page, name: str) -> Any:
    return wall.locator("[data-testid=agents-table] [data-row]").filter(has_text=name)


def figure(wall: Page, name: str) -> int:
    text = wall.locator(f"[data-testid=kpi-{name}] dd").inner_text()
    return int(text) if text.isdecimal() else -1


def test_a_call_moves_the_figures_and_is_found_seen_and_heard(people: People, demo: RunningDemo) -> None:
    wall = people.sign_in("huang")
    eventually(lambda: figure(wall, "offered") >= 0, "today's figures are counted")
    before = {name: figure(wall, name) for name in ("offered", "answered")}
    agent = people.sign_in_agent("chenjing")
    agent.click("[data-action=ready]")
    in_state(agent, "READY")
    demo.call("13955507001")
    in_state(agent, "OFFERED")
    expect(wall.get_by_test_id("kpi-offered").locator("dd")).to_have_text(str(before["offered"] + 1))
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    expect(wall.get_by_test_id("kpi-answered").locator("dd")).to_have_text(str(before["answered"] + 1))
    live = wall.locator("[data-testid=live-calls] [data-row]").filter(has_text="13955507001")
    expect(live).to_contain_text("陈静")
    agent.wait_for_timeout(3000)
    wall.get_by_test_id("live-calls").locator("a", has_text="13955507001").click()
    expect(wall.get_by_test_id("drawing")).to_be_visible()
    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    eventually(lambda: wall.reload() and wall.get_by_test_id("player").count() == 1, "the recording")
    listen(wall)


def listen(page: Page) -> None:
    """The shape is drawn, space plays, a click seeks, speed holds, and it is noted who listened."""
    player, wave = page.get_by_test_id("player"), page.get_by_test_id("waveform")
    expect(wave).to_have_attribute("data-loaded", "true")
    page.locator("body").press(" ")
    expect(player).to_have_attribute("data-playing", "true")
    eventually(lambda: page.evaluate("document.querySelector('audio').currentTime") > 0.2, "it plays on")
    page.locator("body").press(" ")
    expect(player).to_have_attribute("data-playing", "false")
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    place = page.evaluate("(() => { const a = document.querySelector('audio'); return a.currentTime / a.duration })()")
    assert 0.45 < place < 0.55, place
    wave.press("Home")
    assert page.evaluate("document.querySelector('audio').currentTime") == 0
    page.get_by_test_id("speed-1.5").click()
    assert page.evaluate("document.querySelector('audio').playbackRate") == 1.5
    page.reload()
    page.locator("summary").click()
    expect(page.get_by_test_id("player").locator("details li").first).to_contain_text("huang")


def test_a_supervisor_changes_an_agents_state_by_keyboard(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("yangfan")
    wall = people.sign_in("huang")
    expect(row(wall, "杨帆")).to_be_visible()
    wall.keyboard.press("Control+K")
    wall.keyboard.type("杨帆")
    expect(wall.locator("[data-testid=agents-table] [data-row]")).to_have_count(1)
    assert "q=" in wall.url
    row(wall, "杨帆").press("Enter")
    wall.get_by_test_id("force-READY").click()
    wall.get_by_test_id("force-confirm").press("Enter")
    in_state(agent, "READY")
    expect(wall.get_by_test_id("toast")).to_contain_text("杨帆")


def test_after_the_call_means_after_the_call(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("chenjing")
    agent.click("[data-action=ready]")
    in_state(agent, "READY")
    demo.call("13955507003")
    in_state(agent, "OFFERED")
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    wall = people.sign_in("huang")
    row(wall, "陈静").click()
    wall.get_by_test_id("force-PAUSED").click()
    wall.get_by_test_id("force-confirm").click()
    expect(wall.get_by_test_id("toast")).to_contain_text("通话结束后")
    in_state(agent, "TALKING")
    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    choose(agent, "resolved")
    agent.keyboard.press("Control+Enter")
    in_state(agent, "PAUSED")


def test_the_day_as_chart_table_and_csv(people: People, demo: RunningDemo) -> None:
    wall = people.sign_in("huang")
    demo.call("13955507004", patience_ms=3000)
    eventually(lambda: figure(wall, "offered") > 0, "a call was offered")
    wall.get_by_test_id("tab-day").click()
    expect(wall.locator(".uplot canvas")).to_have_count(2)
    wall.get_by_test_id("as-table").click()
    expect(wall.get_by_test_id("quarters-table").locator("tbody tr").first).to_be_visible()
    offered = wall.get_by_test_id("day-queues").locator("tbody tr").last.locator("td").nth(2)
    with wall.expect_download() as queues:
        wall.get_by_test_id("csv-queues").click()
    rows = list(csv.reader(io.StringIO(queues.value.path().read_text("utf-8-sig"))))
    assert rows[-1][0] == "合计" and rows[-1][3] == offered.inner_text()
    with wall.expect_download() as calls:
        wall.get_by_test_id("csv-calls").click()
    assert queues.value.suggested_filename.endswith(".csv")
    eventually(lambda: "13955507004" in calls.value.path().read_text("utf-8-sig"), "the call", 10)


AGENTS, CHANGES_PER_S, SECONDS, LONG_TASKS = 1000, 60, 8, 3
STATES = ("READY", "TALKING", "WRAP_UP", "PAUSED", "HOLDING")


def crowd() -> dict[str, Any]:
    now = round(time.time() * 1000)
    return {
        f"{number}": {
            "id": f"{number}", "name": f"坐席{number:04}", "state": STATES[number % 5], "reason": "", "call": None,
            "since_ms": now - number * 100, "next_state": "", "number": "", "queues": ["客服"], "skills": ["lang:zh"],
        }
        for number in range(AGENTS)
    }  # fmt: skip


def test_a_thousand_agents_with_sixty_changes_a_second(people: People, demo: RunningDemo) -> None:
    """console.md 5.12: few rows in the document, no long task, and what is shown is the newest state."""
    agents, chance = crowd(), random.Random(1)
    sockets: list[WebSocketRoute] = []
    seq = 0

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        say(socket, type="snapshot", data={"agents": agents, "queues": {}, "figures": {}})

    def say(socket: WebSocketRoute, **message: Any) -> None:
        engine = {"reachable": True, "loaded": True, "age_s": 0}
        common = {"topic": "wall", "epoch": "e", "seq": seq, "engine_ts": round(time.time() * 1000), "engine": engine}
        socket.send(json.dumps({**common, **message}))

    wall = people.sign_in("huang")
    wall.route_web_socket(re.compile(r"/ws/wall/"), serve)
    wall.goto("/wall/")
    expect(wall.locator("[data-testid=agents-table]")).to_have_attribute("aria-rowcount", str(AGENTS + 1))
    wall.wait_for_timeout(1500)
    wall.evaluate(
        """() => { window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach(
            (entry) => tasks.push(Math.round(entry.duration)))).observe({type: "longtask"}) }"""
    )
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        changed = {key: agents[key] for key in map(str, chance.sample(range(AGENTS), CHANGES_PER_S // 4))}
        for item in changed.values():
            item.update(state=chance.choice(STATES), since_ms=round(time.time() * 1000))
        seq += 1
        say(sockets[-1], type="delta", patch={"agents": changed})
        wall.wait_for_timeout(250)
    wall.wait_for_timeout(500)
    assert wall.locator("[data-testid=agents-table] [data-row]").count() <= 60
    shown = wall.evaluate(
        """() => [...document.querySelectorAll("[data-testid=agents-table] [data-row]")].map(
            (row) => [row.dataset.row, row.querySelector("[data-state]").dataset.state])"""
    )
    assert shown and all(agents[key]["state"] == state for key, state in shown)
    tasks = wall.evaluate("window.tasks")
    print("long tasks, ms:", tasks)
    # The machine is shared by the test's own processes: an odd one above 50 ms is theirs, many are the page's.
    assert len([task for task in tasks if task > 50]) <= LONG_TASKS, tasks


def test_rows_stand_still_under_the_pointer(people: People, demo: RunningDemo) -> None:
    agents = {key: item for key, item in crowd().items() if int(key) < 20}
    sockets: list[WebSocketRoute] = []

    def say(socket: WebSocketRoute, seq: int, **message: Any) -> None:
        engine = {"reachable": True, "loaded": True, "age_s": 0}
        socket.send(json.dumps({"topic": "wall", "epoch": "e", "seq": seq, "engine": engine, **message}))

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        say(socket, 0, type="snapshot", data={"agents": agents})

    wall = people.sign_in("huang")
    wall.route_web_socket(re.compile(r"/ws/wall/"), serve)
    wall.goto("/wall/?sort=state")
    rows = wall.locator("[data-testid=agents-table] [data-row]")
    expect(rows.first).to_be_visible()
    third = rows.nth(2).get_attribute("data-row")
    rows.nth(2).hover()
    say(sockets[-1], 1, type="delta", patch={"agents": {third: {**agents[str(third)], "state": "LOGGED_OUT"}}})
    expect(wall.locator(f"[data-row='{third}'] [data-state=LOGGED_OUT]")).to_be_visible()
    assert rows.nth(2).get_attribute("data-row") == third
    wall.mouse.move(5, 5)
    expect(rows.last).to_have_attribute("data-row", str(third))
