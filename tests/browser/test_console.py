"""What one agent's page promises, on the whole running thing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SALES, People, RunningDemo, eventually, in_state
from tests.browser.test_one_call import choose

pytestmark = pytest.mark.browser

# Counts what the page sends, and may drop what it is sent; before any script of the page runs.
TAP = """
window.sent = []; window.dropSeq = [];
const Real = WebSocket;
window.WebSocket = class extends Real {
    send(text) {
        const message = JSON.parse(text);
        window.sent.push(message);
        if (!window.mute && !(window.still && message.type === 'beat')) super.send(text);
    }
    set onmessage(handler) {
        super.onmessage = (event) => {
            if (window.deaf) return;
            const message = JSON.parse(event.data);
            if (message.type === 'delta' && window.dropSeq > 0) { window.dropSeq -= 1; return; }
            handler(event);
        };
    }
};
"""


def sent(page: Page, **wanted: str) -> int:
    return int(
        page.evaluate(
            "(wanted) => window.sent.filter((m) => Object.entries(wanted).every(([k, v]) => m[k] === v)).length", wanted
        )
    )


def tapped(people: People, username: str, **how: Any) -> Page:
    """An agent's page whose websocket the test can look into."""
    agent = people.sign_in_agent(username, **how)
    agent.add_init_script(TAP)
    agent.reload()
    in_state(agent, "PAUSED")
    return agent


def ready(agent: Page) -> None:
    agent.get_by_test_id("my-day").click()  # after a reload the browser plays no sound before a gesture
    expect(agent.get_by_test_id("preflight")).to_have_attribute("data-ok", "true")
    agent.click("[data-action=ready]")
    in_state(agent, "READY")


def talk(agent: Page, demo: RunningDemo, number: str, **more: Any) -> None:
    ready(agent)
    demo.call(number, **more)
    in_state(agent, "OFFERED")
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")


def test_ready_waits_for_the_phone(people: People, demo: RunningDemo) -> None:
    """Signing in lands in PAUSED; Ready is for a phone that works."""
    agent = people.sign_in_agent("chenjing")
    agent.route("**/agent/phone/", lambda route: route.abort())
    agent.reload()
    in_state(agent, "PAUSED")
    expect(agent.get_by_test_id("preflight")).to_have_attribute("data-ok", "false")
    expect(agent.locator("[data-action=ready]")).to_be_disabled()
    agent.unroute("**/agent/phone/")
    ready(agent)


def test_an_offer_disturbs_nobody_who_types(people: People, demo: RunningDemo) -> None:
    """The focus stays, there is one alert, F2 answers once, and a key inside an input method is not ours."""
    agent = tapped(people, "chenjing")
    ready(agent)
    agent.get_by_test_id("dial-number").focus()
    agent.keyboard.type("1380")
    demo.call("13800138101")
    in_state(agent, "OFFERED")
    agent.keyboard.type("0138")
    expect(agent.get_by_test_id("dial-number")).to_be_focused()
    expect(agent.get_by_test_id("dial-number")).to_have_value("13800138")
    alerts = [text for text in agent.locator("[role=alert]").all_inner_texts() if text]
    assert len(alerts) == 1 and "13800138101" in alerts[0]
    agent.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'F2', isComposing: true, bubbles: true, cancelable: true}))"
    )
    agent.wait_for_timeout(500)
    assert sent(agent, action="answer") == 0
    agent.keyboard.press("F2")
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    assert sent(agent, action="answer") == 1


def test_a_click_is_busy_until_the_engine_shows_it(people: People, demo: RunningDemo) -> None:
    """Busy at once, held only on the engine's event; without one E07 after 3 s."""
    agent = tapped(people, "chenjing")
    talk(agent, demo, "13800138102")
    busy_ms = agent.evaluate(
        """() => new Promise((done) => {
            const button = document.querySelector('[data-action=hold]');
            const began = performance.now();
            new MutationObserver(() => button.ariaBusy === 'true' && done(performance.now() - began))
                .observe(button, {attributes: true});
            button.click();
        })"""
    )
    assert busy_ms <= 50
    in_state(agent, "HOLDING")
    agent.keyboard.press("F4")
    in_state(agent, "TALKING")
    agent.evaluate("window.mute = true")
    agent.keyboard.press("F4")
    expect(agent.locator("[data-action=hold]")).to_have_attribute("aria-busy", "true")
    agent.evaluate("window.mute = false")
    expect(agent.get_by_test_id("banner")).to_have_attribute("data-code", "E07")
    in_state(agent, "TALKING")


def test_a_lost_message_costs_one_resync_and_silence_is_shown(people: People, demo: RunningDemo) -> None:
    """A gap: one resync, and the page agrees again. Nothing for 5 s: stale, E25."""
    agent = tapped(people, "chenjing")
    ready(agent)
    agent.evaluate("window.dropSeq = 1")
    agent.click("[data-action=pause]")
    in_state(agent, "PAUSED")
    assert sent(agent, type="resync") == 1
    agent.evaluate("window.deaf = true")
    expect(agent.get_by_test_id("console")).to_have_attribute("data-stale", "true")
    expect(agent.get_by_test_id("banner")).to_contain_text("秒未更新")
    expect(agent.locator("[data-action=ready]")).to_be_disabled()
    agent.evaluate("window.deaf = false")
    expect(agent.get_by_test_id("console")).to_have_attribute("data-stale", "false")


def test_the_sound_stays_with_the_first_tab(people: People, demo: RunningDemo) -> None:
    """A reload in a talk keeps call, note and sound, though a second tab waits for it."""
    agent = people.sign_in_agent("chenjing")
    talk(agent, demo, "13800138103")
    call = agent.get_by_test_id("call-card").get_attribute("data-call")
    other = agent.context.new_page()
    other.goto("/agent/")
    in_state(other, "TALKING")
    expect(other.get_by_test_id("console")).to_have_attribute("data-media", "other_tab")
    expect(other.get_by_test_id("banner")).to_contain_text("声音在另一标签页")
    agent.get_by_test_id("tab-wrap_up").click()
    agent.get_by_test_id("note").fill("客户来电\n第二行")
    agent.on("dialog", lambda dialog: dialog.accept())
    agent.reload()
    in_state(agent, "TALKING")
    expect(agent.get_by_test_id("call-card")).to_have_attribute("data-call", str(call))
    expect(agent.get_by_test_id("console")).to_have_attribute("data-media", "owner")
    agent.get_by_test_id("tab-wrap_up").click()
    expect(agent.get_by_test_id("note")).to_have_value("客户来电\n第二行")
    expect(other.get_by_test_id("console")).to_have_attribute("data-media", "other_tab")
    other.get_by_test_id("move-here").click()
    expect(other.get_by_test_id("console")).to_have_attribute("data-media", "owner")
    expect(agent.get_by_test_id("console")).to_have_attribute("data-media", "other_tab")
    other.close()


def test_wrap_up_is_extended_and_its_end_loses_nothing(people: People, demo: RunningDemo) -> None:
    """F4 adds 30 s, ten times; what is typed outlives a reload; a result is found by typing its headings."""
    agent = people.sign_in_agent("chenjing")
    talk(agent, demo, "13800138104")
    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    agent.keyboard.press("F4")
    left = agent.get_by_test_id("wrap-left")
    eventually(lambda: int("".join(filter(str.isdigit, left.inner_text()))) > 31, "F4 added 30 s")
    for still in range(8, -1, -1):
        agent.keyboard.press("F4")
        expect(agent.get_by_test_id("extensions-left")).to_contain_text(str(still))
    agent.keyboard.press("F4")
    expect(agent.get_by_test_id("banner")).to_contain_text("不能再延长")
    agent.get_by_test_id("note").fill("稍后补填")
    eventually(lambda: kept(agent) == ["稍后补填"], "every key is kept in this browser")
    agent.reload()
    in_state(agent, "WRAP_UP")
    agent.get_by_test_id("tab-wrap_up").click()
    expect(agent.get_by_test_id("note")).to_have_value("稍后补填")
    search = agent.get_by_test_id("disposition-search")
    search.fill("咨询 断")
    search.press("Enter")
    expect(agent.get_by_test_id("disposition-path")).to_have_text("产品咨询 › 网络问题 › 断网")
    agent.keyboard.press("Control+Enter")
    in_state(agent, "READY")
    expect(agent.get_by_test_id("my-calls")).to_contain_text("13800138104")
    assert kept(agent) == []


def test_a_result_is_given_later(people: People, demo: RunningDemo) -> None:
    """What ran out is listed with what was typed, and completed there."""
    demo.change("UPDATE queues_queue SET wrap_up_s = 9 WHERE code = 'sales'")  # typing in its last 5 s would add 15
    agent = people.sign_in_agent("lina")
    talk(agent, demo, "13800138109", keys=SALES)
    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    agent.get_by_test_id("note").fill("改天补填")
    agent.keyboard.press("Control+F8")  # a pause comes after it
    in_state(agent, "PAUSED")
    expect(agent.get_by_test_id("tab-to_fill")).to_contain_text("1")
    agent.get_by_test_id("tab-to_fill").click()
    agent.get_by_test_id("to-fill").get_by_role("button").first.click()
    expect(agent.get_by_test_id("late-note")).to_have_value("改天补填")
    agent.locator("[data-testid=to-fill] label:has([data-disposition=follow_up])").click()
    agent.click("[data-action=complete]")
    expect(agent.get_by_test_id("to-fill")).to_have_count(0)
    agent.reload()
    in_state(agent, "PAUSED")
    eventually(lambda: "需跟进" in agent.get_by_test_id("my-calls").inner_text(), "the result is in history")


def kept(agent: Page) -> list[str]:
    notes: list[str] = agent.evaluate(
        """() => new Promise((done) => {
            const asked = indexedDB.open('trunkline-agent', 1);
            asked.onsuccess = () => {
                const all = asked.result.transaction('drafts').objectStore('drafts').getAll();
                all.onsuccess = () => done(all.result.map((draft) => draft.note));
            };
        })"""
    )
    return notes


def test_a_pause_while_talking_comes_after_the_call(people: People, demo: RunningDemo) -> None:
    """The next state is shown and no call is offered before it."""
    agent = people.sign_in_agent("chenjing")
    talk(agent, demo, "13800138105")
    agent.keyboard.press("Control+F8")
    expect(agent.get_by_test_id("next-state")).to_have_attribute("data-next-state", "PAUSED")
    demo.call("13800138106")
    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    choose(agent, "resolved")
    agent.keyboard.press("Control+Enter")
    in_state(agent, "PAUSED")


def test_the_caller_is_heard(people: People, demo: RunningDemo) -> None:
    """The page plays the caller's voice while talking, and nothing on hold."""
    agent = people.sign_in_agent("chenjing")
    agent.add_init_script(
        """
        window.voices = 0;
        const start = AudioBufferSourceNode.prototype.start, stop = AudioBufferSourceNode.prototype.stop;
        AudioBufferSourceNode.prototype.start = function (...args) {
            const samples = this.buffer.getChannelData(0);
            window.loudest = samples.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
            if (this.context.state === 'running') window.voices += 1;
            return start.apply(this, args);
        };
        AudioBufferSourceNode.prototype.stop = function () { window.voices -= 1; return stop.apply(this); };
        """
    )
    agent.reload()
    in_state(agent, "PAUSED")
    talk(agent, demo, "13800138107")
    eventually(lambda: agent.evaluate("window.voices") == 1, "a voice plays")
    assert agent.evaluate("window.loudest") > 0.2
    agent.keyboard.press("F8")
    agent.keyboard.press("F4")
    in_state(agent, "HOLDING")
    eventually(lambda: agent.evaluate("window.voices") == 0, "silence on hold")
    agent.keyboard.press("F4")
    eventually(lambda: agent.evaluate("window.voices") == 1, "the voice is back")
    expect(agent.locator("[data-action=mute]")).to_have_attribute("aria-pressed", "true")  # as before the hold


def test_keys_can_be_changed(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("chenjing", locale="en-US")
    agent.get_by_test_id("settings").click()
    agent.locator("[data-key-of=ready_pause]").focus()
    agent.keyboard.press("F2")
    expect(agent.get_by_test_id("settings-dialog")).to_contain_text("Used twice")
    agent.keyboard.press("F6")
    expect(agent.locator("[data-key-of=ready_pause]")).to_have_value("F6")
    agent.keyboard.press("Escape")
    expect(agent.get_by_test_id("preflight")).to_have_attribute("data-ok", "true")
    agent.keyboard.press("F6")
    in_state(agent, "READY")
    assert json.loads(agent.evaluate("localStorage.getItem('agent-keys')"))["ready_pause"] == "F6"


NEVER_THERE = "13700000099"


def miss(demo: RunningDemo) -> None:
    """The telephone that rings gives up, as after the time it is to ring."""
    ringing = next(one for one in demo.simulator(do="channels")["channels"] if one["direction"] == "outbound")
    demo.simulator(do="hang_up", uuid=ringing["uuid"], cause="NO_ANSWER")


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "dark"), ("en-US", "light")])
def test_nobody_is_shut_out(people: People, demo: RunningDemo, locale: str, scheme: str) -> None:
    """No violation of WCAG 2.2 AA in any state of one voice call, nor a part that is wider than a zoomed window.

    And what a state says moves nothing beside it.
    """
    agent = people.sign_in_agent("chenjing", locale=locale, scheme=scheme)
    broken: dict[str, list[str]] = {}
    places: dict[str, set[int]] = {}

    def look(state: str) -> None:
        broken[state] = violations(agent)
        for part in ("[data-testid=since]", "[data-action=ready]", "[data-action=pause]", "[data-testid=my-day]"):
            if (box := agent.query_selector(part)) and (place := box.bounding_box()):
                places.setdefault(part, set()).add(round(place["x"]))

    look("PAUSED")
    agent.add_init_script(TAP)
    agent.reload()
    in_state(agent, "PAUSED")
    agent.evaluate("window.still = true")  # to the server the page is gone, and it hears so
    in_state(agent, "DISCONNECTED")
    look("DISCONNECTED")
    agent.evaluate("window.still = false")
    in_state(agent, "PAUSED")
    demo.simulator(do="behave", phone=NEVER_THERE, answering="told")
    ready(agent)
    agent.get_by_test_id("dial-number").fill(NEVER_THERE)
    agent.keyboard.press("Enter")
    in_state(agent, "DIALING")
    look("DIALING")
    agent.keyboard.press("Control+F2")
    in_state(agent, "READY")
    demo.call("13800138110")
    in_state(agent, "OFFERED")
    miss(demo)
    in_state(agent, "NOT_RESPONDING")
    look("NOT_RESPONDING")
    demo.end_all_calls()
    agent.click("[data-action=ready]")
    in_state(agent, "READY")
    look("READY")
    demo.call("13800138108", name="张三")
    in_state(agent, "OFFERED")
    look("OFFERED")
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    look("TALKING")
    agent.keyboard.press("F9")
    expect(agent.get_by_test_id("transfer-search")).to_be_focused()
    look("transfer")
    agent.keyboard.press("Escape")
    agent.keyboard.press("F4")
    in_state(agent, "HOLDING")
    look("HOLDING")
    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    look("WRAP_UP")
    agent.get_by_test_id("settings").click()
    look("settings")
    agent.keyboard.press("Escape")
    choose(agent, "resolved")
    agent.keyboard.press("Control+Enter")
    in_state(agent, "READY")
    agent.click("[data-action=sign_out]")
    in_state(agent, "LOGGED_OUT")
    look("LOGGED_OUT")
    assert all(len(all_places) == 1 for all_places in places.values()), places
    agent.set_viewport_size({"width": 341, "height": 700})
    assert agent.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than a window at 400 %"
    assert not [f"{state}: {found}" for state, found in broken.items() if found]
