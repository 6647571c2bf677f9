"""The whole of Trunkline as ``make demo`` starts it, without simulated agents and callers, and a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from apps.demo.services import PrivatePostgres, service_directory

ROOT = Path(__file__).resolve().parents[2]
START_S = 180.0
PROMPT_S = 0.5
SERVICE, SALES = "12", "11"  # the story's menu: Chinese, then the department
CHROMIUM_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
]
PASSWORD = "cloudbridge-demo"


@dataclass
class RunningDemo:
    process: subprocess.Popen[str]
    url: str
    run_dir: Path

    def pid_of(self, words: str) -> int:
        """The demo's own child whose command line holds ``words``."""
        pid = self.process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if words in Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode():
                return int(child)
        raise LookupError(words)

    def ask_simulator(self, **asked: Any) -> dict[str, Any]:
        """Ask the simulated switch for something, e.g. ``do="call"``; it may say no: ``ok``, ``error``."""
        port = json.loads((self.run_dir / "simulator.json").read_text())["control-port"]
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(json.dumps(asked).encode() + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile().readline())
        return answer

    def simulator(self, **asked: Any) -> dict[str, Any]:
        """Have the simulated switch do something that it can do."""
        answer = self.ask_simulator(**asked)
        assert answer["ok"], answer
        return answer

    def change(self, statement: str) -> None:
        """Change configuration as the admin does: the rows, then the word that they changed."""
        with psycopg.connect(PrivatePostgres(service_directory(self.run_dir / "postgres")).url) as connection:
            connection.execute(statement)
            connection.execute("UPDATE telephony_configversion SET version = version + 1")
            connection.execute("NOTIFY trunkline_config")

    def end_all_calls(self) -> None:
        for channel in self.simulator(do="channels")["channels"]:
            if channel["direction"] == "inbound":
                answer = self.ask_simulator(do="hang_up", uuid=channel["uuid"])
                # Trunkline may have ended it between the two questions.
                assert answer["ok"] or answer["error"] == "no such channel", answer

    def call(self, number: str, **more: Any) -> str:
        """A caller who chooses Chinese and the service queue, and talks until somebody hangs up."""
        plan = {"did": "4008005566", "keys": SERVICE, "reaction_ms": 200, "talk_ms": None, "patience_ms": None, **more}
        return str(self.simulator(do="call", number=number, **plan)["uuid"])


def eventually(condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.2)
    return result


@pytest.fixture(scope="package")
def demo() -> Iterator[RunningDemo]:
    with running_demo() as running:
        yield running


@contextmanager
def running_demo() -> Iterator[RunningDemo]:
    """The demo with nobody in it, in a directory of its own."""
    run_dir = Path(tempfile.mkdtemp(prefix="trunkline-demo-"))
    run_dir.chmod(0o755)  # as root the private services run as somebody else
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment = {
        **kept, "STATE_DIR": str(run_dir), "CALLERS_PER_MINUTE": "0", "SIMULATED_AGENTS": "false", "DEBUG": "false",
        "LOG_LEVEL": "INFO", "WEBHOOK_NETWORKS": "127.0.0.0/8",
    }  # fmt: skip
    output = run_dir / "demo.log"
    with output.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.demo"], cwd=ROOT, env=environment, stdout=log, text=True
        )
    try:
        eventually(
            lambda: "Trunkline is up" in output.read_text() or process.poll() is not None, "the demo is up", START_S
        )
        text = output.read_text()
        assert "Trunkline is up: " in text, text
        url = text.split("Trunkline is up: ")[1].split()[0]
        for prompt in (run_dir / "sounds").rglob("*.wav"):
            _cut(prompt)
        yield RunningDemo(process, url, run_dir)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, output.read_text()
    shutil.rmtree(run_dir)  # kept when something went wrong: its logs say what


def _cut(prompt: Path) -> None:
    """Every caller hears some before an agent does: the tests have other things to wait for."""
    with wave.open(str(prompt), "rb") as sound:
        parameters, kept = sound.getparams(), sound.readframes(int(sound.getframerate() * PROMPT_S))
    with wave.open(str(prompt), "wb") as sound:
        sound.setparams(parameters)
        sound.writeframes(kept)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: Playwright keeps a loop running in this thread, where asyncio's tests want theirs."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("SKIPPED: no Chromium on this machine (apt install chromium)")
    expect.set_options(timeout=45_000)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS) as running,
    ):
        yield running


@dataclass
class People:
    """Opens pages for the people of the story; each has a browser profile of their own."""

    browser: Browser
    demo: RunningDemo
    contexts: list[BrowserContext]
    complaints: list[str]

    def sign_in(self, username: str, *, locale: str = "zh-CN", scheme: Any = "light") -> Page:
        context = self.browser.new_context(
            base_url=self.demo.url, locale=locale, color_scheme=scheme, viewport={"width": 1366, "height": 768}
        )
        context.set_default_timeout(60_000)  # CI is slow; a pass does not wait for it
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto("/login/")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.click("[data-testid=sign-in] button")
        return page

    def sign_in_agent(self, username: str, **how: Any) -> Page:
        """At the console, paused."""
        page = self.sign_in(username, **how)
        in_state(page, "PAUSED")
        return page


def in_state(page: Page, *states: str) -> None:
    """The agent's page shows one of these states."""
    page.wait_for_selector(", ".join(f"[data-testid=agent-state][data-state={state}]" for state in states))


@pytest.fixture
def people(browser: Browser, demo: RunningDemo) -> Iterator[People]:
    opened = People(browser, demo, [], [])
    yield opened
    try:
        demo.end_all_calls()
        for context in opened.contexts:
            for page in context.pages:
                leave(page)
    finally:
        for context in opened.contexts:
            context.close()
    assert opened.complaints == []


def leave(page: Page) -> None:
    """No agent stays signed in for the next test, whatever state this one left them in."""
    if page.is_closed() or page.get_by_test_id("agent-state").count() == 0:
        return

    def left() -> bool:
        state = page.get_attribute("[data-testid=agent-state]", "data-state")
        # By the page's own buttons; those that are not there or not enabled do nothing.
        page.evaluate(
            """() => {
                document.querySelector("[data-disposition]")?.click();
                for (const action of ["sign_out", "finish"]) document.querySelector(`[data-action=${action}]`)?.click();
            }"""
        )
        return state == "LOGGED_OUT"

    eventually(left, "the agent has signed out", 60)
