"""From the engine's event to the painted page, with 200 simulated agents at work beside it: p50, p95 and the worst.

``python -m tests.bench.event_to_paint [--agents 200] [--callers-per-minute 400] [--samples 200] [--offers 60]``. Starts
the demo with its simulator and adds agents who answer, talk and wrap up, and more callers than they can serve: so an
offer comes as soon as the one real page is ready. It takes each, ends it, wraps up, and pauses now and then.
Measured in the page: from ``since_ms`` of the state (the engine's clock, same machine) to the frame after it was drawn;
of offers also to the frame in which the pop shows queue and the caller's way through the menus.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import quantiles

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, PASSWORD, ROOT, RunningDemo, running_demo

BUDGET_MS = 150
POP_BUDGET_MS = 300
FEWEST = 5
TOO_MANY_CALLERS = 1.4
"""For each agent: somebody always waits, or an offer to this one page would come once in a long while."""
LONGEST_S = 900
PRESSES = {"PAUSED": "Control+F8", "NOT_RESPONDING": "Control+F8", "OFFERED": "F2", "TALKING": "Control+F2"}
"""What the agent presses in a state to come to the next one."""
# Reads the state as the page shows it: the attribute changes when Svelte draws, two frames later it is on the screen.
WATCH = """
window.paints = []; window.offers = []; window.pops = [];
const filled = (name) => Boolean(document.querySelector(`[data-testid=${name}]`)?.textContent.replace("–", "").trim());
const popped = (since) => {
    if (filled("pop-queue") && filled("pop-attached")) window.pops.push(Date.now() - since);
    else if (Date.now() - since < 3000) requestAnimationFrame(() => popped(since));
};
const Real = WebSocket;
window.WebSocket = class extends Real {
    set onmessage(handler) {
        super.onmessage = (event) => {
            const message = JSON.parse(event.data);
            const me = Object.values(message.patch?.me ?? {})[0];
            const seen = Object.values(message.data?.me ?? {})[0];
            if (seen) window.last = seen.since_ms;
            handler(event);
            if (me) requestAnimationFrame(() => requestAnimationFrame(() => {
                const shown = document.querySelector('[data-testid=agent-state]').dataset.state;
                if (shown === me.state && window.last !== me.since_ms) {
                    window.paints.push(Date.now() - me.since_ms);
                    if (shown === "OFFERED") { window.offers.push(Date.now() - me.since_ms); popped(me.since_ms); }
                }
                window.last = me.since_ms;
            }));
        };
    }
};
"""
MORE_AGENTS = """
from apps.accounts.models import Tenant
from apps.agents.models import Agent, AgentSkill, Skill
from apps.agents.services import give_device
from apps.queues.models import Queue
from apps.telephony.services import config_changed
tenant = Tenant.objects.get(code="cloudbridge")
made = []
for n in range({count}):
    agent = Agent.objects.create(tenant=tenant, name=f"模拟{{n:03}}", number=str(70000 + n), device_kind="sip")
    give_device(agent)
    for code in ("lang:zh", "lang:en", "network"):
        AgentSkill.objects.create(agent=agent, skill=Skill.objects.get(tenant=tenant, code=code), proficiency=3)
    for queue in Queue.objects.filter(tenant=tenant):
        queue.members.add(agent)
    made.append([str(agent.pk), agent.sip_account.username])
config_changed()
import json
print(json.dumps(made))
"""


def environment_of(demo: RunningDemo) -> dict[str, str]:
    """The demo's own, as its web process has it."""
    raw = Path(f"/proc/{demo.pid_of('manage.py web')}/environ").read_bytes()
    return dict(item.split("=", 1) for item in raw.decode().split("\0") if "=" in item)


def staff(demo: RunningDemo, count: int) -> subprocess.Popen[bytes]:
    """Rows, telephones and people for so many agents; the process that plays them."""
    environment = environment_of(demo)
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", MORE_AGENTS.format(count=count)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    made = json.loads(done.stdout.strip().splitlines()[-1])
    for _, account in made:
        demo.simulator(do="behave", phone=account, answering="told")
    ids = ",".join(agent for agent, _ in made)
    return subprocess.Popen([sys.executable, "-m", "apps.demo.people", "--agents", ids], cwd=ROOT, env=environment)


def step(page: Page) -> None:
    """One press towards the next state; what is under way needs none."""
    state = page.get_attribute("[data-testid=agent-state]", "data-state")
    if state == "WRAP_UP":
        page.locator("label:has([data-disposition=resolved])").click()
        page.keyboard.press("Control+Enter")
    elif state in PRESSES:
        page.wait_for_timeout(100 if state != "OFFERED" else 600)  # the pop is looked at before the call is taken
        page.keyboard.press(PRESSES[state])
    page.wait_for_timeout(150)


def measure(page: Page, samples: int, offers: int) -> dict[str, list[float]]:
    """Milliseconds: of every state, of offers, of offers until their pop is filled."""
    page.add_init_script(WATCH)
    page.goto("/login/")
    page.locator("input[name=login], input[name=username]").first.fill("chenjing")
    page.fill("[name=password]", PASSWORD)
    page.click("[data-testid=sign-in] button")
    page.wait_for_selector("[data-testid=preflight][data-ok=true]")
    until_s = time.monotonic() + LONGEST_S
    while time.monotonic() < until_s:
        seen = page.evaluate("[window.paints.length, window.pops.length]")
        if seen[0] >= samples and seen[1] >= offers:
            break
        step(page)
    return {name: page.evaluate(f"window.{name}") for name in ("paints", "offers", "pops")}


def line(what: str, found: list[float], budget_ms: int) -> str:
    if len(found) < FEWEST:
        return f"{what}: {len(found)} seen, too few to say"
    cuts = quantiles(found, n=20)
    measured = f"p50 {cuts[9]:.0f} ms, p95 {cuts[18]:.0f} ms, worst {max(found):.0f} ms"
    return f"{what}: {measured} (budget p95 {budget_ms} ms), {len(found)} seen"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--callers-per-minute", type=float, default=400.0)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--offers", type=int, default=60)
    asked = parser.parse_args()
    with running_demo() as demo:
        people = staff(demo, asked.agents)
        try:
            at_most = round(asked.agents * TOO_MANY_CALLERS)
            demo.simulator(do="callers", per_minute=asked.callers_per_minute, at_most=at_most, running=True)
            time.sleep(30)  # until most of them are at work
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=CHROMIUM_FLAGS
                )
                page = browser.new_context(base_url=demo.url, viewport={"width": 1366, "height": 768}).new_page()
                found = measure(page, asked.samples, asked.offers)
                calling = demo.simulator(do="callers")["calling"]
                browser.close()
        finally:
            people.terminate()
            people.wait(20)
    print(f"beside {asked.agents} simulated agents and {calling} callers:")
    print(line("any event to paint", found["paints"], BUDGET_MS))
    print(line("offer to paint", found["offers"], BUDGET_MS))
    print(line("offer to filled pop", found["pops"], POP_BUDGET_MS))


if __name__ == "__main__":
    main()
