"""``make screenshots``: the demo, a real Chromium, and docs/images/*.png in English and 简体中文.

Simulated agents and callers fill the floor. One agent's console is ours: it goes ready, takes a call and is looked at
in the talk. Pictures are taken when the page says that it is there, and kept small enough for a README.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from apps.demo.services import PrivatePostgres, service_directory
from tests.browser.conftest import CHROMIUM_FLAGS, PASSWORD
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
LARGEST = 300_000  # bytes
SIZE = {"width": 1366, "height": 800}
LANGUAGES = {"en": ("en-US", "en"), "zh": ("zh-CN", "zh-hans")}
FULL_FLOOR_S = 100.0  # until calls have ended, been recorded and disposed of


@dataclass(frozen=True)
class Shot:
    """``wait_for`` is what must be seen; ``prepare`` brings the page there, ``leave`` ends what that began."""

    name: str
    username: str
    path: str
    wait_for: str
    prepare: Callable[[Page], None] = lambda page: None
    leave: Callable[[Page], None] = lambda page: None


STATE = "[data-testid=agent-state][data-state={}]"
TRIES = 6  # most callers are on file


def take_a_call(page: Page) -> None:
    """By the keys: callers are served until the second of one who is on file, and that is well into the talk."""
    for served in range(TRIES):
        if page.locator(STATE.format("PAUSED")).count():
            page.keyboard.press("Control+F8")
        page.wait_for_selector(STATE.format("OFFERED"), timeout=120_000)
        page.keyboard.press("F2")
        page.wait_for_selector(STATE.format("TALKING"))
        page.wait_for_timeout(4000)
        if served and page.get_by_test_id("pop-customer").count():
            return
        wrap_up(page)


def wrap_up(page: Page) -> None:
    if page.locator(STATE.format("TALKING")).count():
        page.keyboard.press("Control+F2")
    page.wait_for_selector(STATE.format("WRAP_UP"))
    page.keyboard.press("Control+Enter")  # asks for a result
    page.keyboard.type("已解决")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(STATE.format("WRAP_UP"), state="detached")


def leave_the_desk(page: Page) -> None:
    page.keyboard.press("Control+F8")  # a pause, after the call
    wrap_up(page)


def shots(url: str) -> list[Shot]:
    call = _a_recorded_call(url)
    return [
        Shot("agent", "zhangwei", "/agent/", "[data-testid=agent-state]", take_a_call, leave_the_desk),
        Shot("wall", "huang", "/wall/", "[data-testid=agents] >> nth=0"),
        Shot("calls", "huang", "/calls/", "[data-testid=calls] >> nth=0"),
        Shot("call", "huang", f"/calls/{call}/", "[data-testid=timeline]"),
        Shot("customers", "huang", "/customers/", "main", lambda page: page.get_by_text("Aisha Rahman").first.click()),
        Shot("admin", "admin", "/admin/queues/queue/", "#content"),
        Shot("integrations", "admin", "/integrations/", "[data-testid=deliveries] tbody tr"),
    ]


def _a_recorded_call(url: str) -> str:
    """The one with the most to see on its timeline."""
    query = (
        "SELECT c.id FROM calls_call c JOIN recordings_recording r ON r.call_id = c.id AND r.status = 'done'"
        " WHERE c.outcome = 'served' ORDER BY c.segment_count DESC, c.talk_ms DESC LIMIT 1"
    )
    deadline = time.monotonic() + 3 * FULL_FLOOR_S
    while time.monotonic() < deadline:
        with psycopg.connect(url) as connection:
            row = connection.execute(query).fetchone()
        if row is not None:
            return str(row[0])
        time.sleep(2)
    raise SystemExit("no call was recorded: see the demo's logs")


@contextmanager
def demo(run_dir: Path) -> Iterator[str]:
    environment = {
        **os.environ, "STATE_DIR": str(run_dir), "CALLERS_PER_MINUTE": "12", "LOG_LEVEL": "INFO",
        "WEB_PORT": str(free_port()),
    }  # fmt: skip
    output = run_dir / "said"
    with output.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "apps.demo"], cwd=ROOT, env=environment, stdout=log)
    try:
        while "Trunkline is up: " not in (said := output.read_text()):
            if process.poll() is not None:
                raise SystemExit(said)
            time.sleep(0.2)
        yield said.split("Trunkline is up: ")[1].split()[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def signed_in(browser: Browser, web: str, username: str, language: str, scheme: str) -> Iterator[Page]:
    locale, code = LANGUAGES[language]
    context: BrowserContext = browser.new_context(
        base_url=web, locale=locale, color_scheme=scheme, viewport=SIZE, reduced_motion="reduce"  # type: ignore[arg-type]
    )  # fmt: skip
    context.add_cookies([{"name": "django_language", "value": code, "url": web}])
    context.set_default_timeout(60_000)
    page = context.new_page()
    try:
        page.goto("/login/")
        page.fill("[name=username], [name=login]", username)
        page.fill("[name=password]", PASSWORD)
        page.click("[data-testid=sign-in] button")
        page.wait_for_url(lambda address: "login" not in address)
        yield page
    finally:
        context.close()


def take(browser: Browser, web: str, shot: Shot, language: str, scheme: str) -> Path:
    with signed_in(browser, web, shot.username, language, scheme) as page:
        if urlsplit(page.url).path != shot.path:  # else signing in opened it; twice, the sound would want a click
            answer = page.goto(shot.path)
            assert answer is not None and answer.status == 200, f"{shot.path}: {answer and answer.status}"
        page.wait_for_selector(shot.wait_for)
        shot.prepare(page)
        page.wait_for_timeout(1500)  # figures and sound waves are drawn
        target = IMAGES / f"{shot.name}{'' if language == 'en' else '.zh'}.png"
        page.screenshot(path=target)
        shot.leave(page)
    size = target.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{target} has {size} bytes, more than {LARGEST}")
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="names of pictures, comma separated")
    parser.add_argument("--scheme", choices=["light", "dark"], default="light")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium on this machine: apt install chromium fonts-noto-cjk")
    wanted = [name for name in options.only.split(",") if name]
    run_dir = Path(tempfile.mkdtemp(prefix="trunkline-screenshots-"))
    run_dir.chmod(0o755)  # as root the private services run as somebody else
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo(run_dir) as web, sync_playwright() as playwright:
        time.sleep(FULL_FLOOR_S)
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        for shot in shots(PrivatePostgres(service_directory(run_dir / "postgres")).url):
            if not wanted or shot.name in wanted:
                for language in LANGUAGES:
                    print(take(browser, web, shot, language, options.scheme).relative_to(ROOT))
        browser.close()
    shutil.rmtree(run_dir)


if __name__ == "__main__":
    main()
