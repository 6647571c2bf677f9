"""One call, from the page of the agent who takes it and the page of the supervisor who watches."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import People, RunningDemo, eventually, in_state

pytestmark = pytest.mark.browser

CHINESE = {"locale": "zh-CN", "scheme": "dark"}
ENGLISH = {"locale": "en-US", "scheme": "light"}
WORDS: dict[str, dict[str, str]] = {
    "zh-CN": {"OFFERED": "振铃", "TALKING": "通话", "WRAP_UP": "话后整理", "READY": "示闲", "menu": "部门"},
    "en-US": {"OFFERED": "Ringing", "TALKING": "Talking", "WRAP_UP": "Wrap-up", "READY": "Ready", "menu": "Department"},
}


def choose(agent: Page, disposition: str) -> None:
    """Click a disposition, by its word as a person does: the radio button itself is not seen."""
    agent.locator(f"label:has([data-disposition={disposition}])").click()


def agent_row(wall: Page, name: str) -> Any:
    return wall.locator("[data-testid=agents] [data-row]").filter(has_text=name)


@pytest.mark.parametrize("how", [CHINESE, ENGLISH], ids=["chinese", "english"])
def test_an_agent_takes_a_call_and_the_floor_shows_it(people: People, demo: RunningDemo, how: dict[str, Any]) -> None:
    words = WORDS[how["locale"]]
    number = "13800138001" if how is CHINESE else "13800138002"
    wall = people.sign_in("huang", **how)
    agent = people.sign_in_agent("chenjing", **how)
    row = agent_row(wall, "陈静")
    agent.click("[data-action=ready]")
    in_state(agent, "READY")
    expect(row).to_contain_text(words["READY"])

    agent.evaluate("document.body.focus()")
    demo.call(number, name="张三")
    in_state(agent, "OFFERED")
    expect(agent.get_by_test_id("agent-state")).to_contain_text(words["OFFERED"])
    expect(agent.get_by_test_id("call-number")).to_have_text(number)
    expect(agent.get_by_test_id("pop-queue")).to_have_text("客服")
    expect(agent.get_by_test_id("pop-attached")).to_contain_text(words["menu"])
    expect(agent.locator("[role=alert]")).to_contain_text(number)
    assert agent.evaluate("document.activeElement === document.body"), "an offer must not steal the focus"
    expect(row).to_contain_text(words["OFFERED"])

    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    expect(row).to_contain_text(words["TALKING"])
    expect(wall.locator("[data-testid=live-calls] [data-row]").filter(has_text=number)).to_contain_text("陈静")

    waited = agent.get_by_test_id("waited").inner_text()

    agent.keyboard.press("F4")
    in_state(agent, "HOLDING")
    agent.keyboard.press("F4")
    in_state(agent, "TALKING")

    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    expect(row).to_contain_text(words["WRAP_UP"])
    expect(agent.get_by_test_id("call-number")).to_have_text(number)
    expect(agent.get_by_test_id("waited")).to_have_text(waited)  # not the time before, in the menu
    agent.get_by_test_id("note").fill("退款 <b>refund</b>")
    choose(agent, "resolved")
    agent.keyboard.press("Control+Enter")
    in_state(agent, "READY")
    expect(wall.locator("[data-testid=live-calls] [data-row]").filter(has_text=number)).to_have_count(0)
    look_up(wall, number)
    expect(wall.get_by_test_id("timeline")).to_contain_text(words["menu"])


def look_up(supervisor: Page, number: str) -> None:
    """The call's history, and its recording in ranges as a player asks for it."""
    supervisor.goto(f"/calls/?q={number}")
    rows = supervisor.locator("[data-testid=calls-table] [data-row]")
    eventually(lambda: supervisor.reload() and rows.count() == 1, "the call is in history")
    rows.first.press("Enter")
    timeline = supervisor.get_by_test_id("timeline")
    eventually(lambda: supervisor.reload() and "陈静" in timeline.inner_text(), "the timeline")
    eventually(lambda: supervisor.reload() and "refund" in timeline.inner_text(), "the note")
    assert "<b>refund</b>" in timeline.inner_text()
    player = eventually(lambda: supervisor.reload() and supervisor.query_selector("audio"), "the recording")
    source = player.get_attribute("src")
    part = supervisor.request.get(source, headers={"Range": "bytes=0-3"})
    assert (part.status, part.body()) == (206, b"RIFF")
    assert supervisor.request.get(source, headers={"Range": "bytes=99999999-"}).status == 416


def test_the_wait_of_typing_is_not_disturbed_by_an_offer(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("chenjing")
    agent.click("[data-action=ready]")
    in_state(agent, "READY")
    demo.call("13800138003")
    in_state(agent, "OFFERED")
    agent.get_by_test_id("tab-wrap_up").click()
    agent.get_by_test_id("note").focus()
    agent.evaluate("""document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', {key: 'F2', isComposing: true, bubbles: true}))""")
    agent.wait_for_timeout(700)
    in_state(agent, "OFFERED")  # a key inside an input method is the input method's
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    assert agent.evaluate("document.activeElement.dataset.testid") == "note"


def test_pause_during_a_call_comes_after_it(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("chenjing")
    agent.click("[data-action=ready]")
    demo.call("13800138004")
    in_state(agent, "OFFERED")
    agent.click("[data-action=answer]")
    in_state(agent, "TALKING")
    agent.get_by_test_id("pause-reasons").click()
    agent.get_by_role("menuitem", name="午餐").click()
    expect(agent.get_by_test_id("next-state")).to_contain_text("午餐")
    in_state(agent, "TALKING")
    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    choose(agent, "resolved")
    agent.click("[data-action=finish]")
    in_state(agent, "PAUSED")
    expect(agent.get_by_test_id("agent-state")).to_contain_text("午餐")


def test_a_blind_transfer_reaches_the_other_agent(people: People, demo: RunningDemo) -> None:
    first, second = people.sign_in_agent("chenjing"), people.sign_in_agent("zhaomin")
    first.click("[data-action=ready]")
    in_state(first, "READY")
    demo.call("13800138005")
    in_state(first, "OFFERED")
    second.click("[data-action=ready]")
    in_state(second, "READY")
    first.keyboard.press("F2")
    in_state(first, "TALKING")
    first.keyboard.press("F9")
    first.wait_for_selector("[data-testid=transfer] [role=option]")
    first.keyboard.type("赵敏")
    expect(first.locator("[data-testid=transfer] [role=option]")).to_have_count(1)
    first.keyboard.press("Shift+Enter")
    in_state(first, "WRAP_UP")
    in_state(second, "OFFERED")
    expect(second.get_by_test_id("call-number")).to_have_text("13800138005")
    second.keyboard.press("F2")
    in_state(second, "TALKING")


def test_an_attended_transfer_by_way_of_a_three_way(people: People, demo: RunningDemo) -> None:
    """Asked, swapped, all three, and the one who asked leaves; by the keys alone."""
    first, second = people.sign_in_agent("chenjing", **CHINESE), people.sign_in_agent("zhaomin", **ENGLISH)
    first.click("[data-action=ready]")
    in_state(first, "READY")
    demo.call("13800138015", name="张三")
    in_state(first, "OFFERED")
    second.click("[data-action=ready]")
    in_state(second, "READY")
    first.keyboard.press("F2")
    in_state(first, "TALKING")
    first.keyboard.press("F9")
    first.wait_for_selector("[data-testid=transfer] [role=option]")
    first.keyboard.type("赵敏")
    first.keyboard.press("Enter")
    in_state(first, "CONSULTING")
    in_state(second, "OFFERED")
    expect(second.get_by_test_id("company")).to_contain_text("陈静")
    second.keyboard.press("F2")
    in_state(second, "TALKING")
    company = first.get_by_test_id("company")
    expect(company).to_have_attribute("data-aim", "consult")
    expect(company).to_have_text("与赵敏通话,客户听等待音")
    expect(first.locator("[data-action=consult_swap]")).to_be_enabled()
    first.keyboard.press("F4")
    expect(company).to_have_attribute("data-aim", "customer")
    expect(first.locator("[data-action=three_way]")).to_be_enabled()
    first.keyboard.press("Shift+F9")
    in_state(first, "CONFERENCING")
    in_state(second, "CONFERENCING")
    first.keyboard.press("Control+F2")
    in_state(first, "WRAP_UP")
    in_state(second, "TALKING")
    expect(second.get_by_test_id("call-number")).to_have_text("13800138015")
    talked, talks = seconds(first, "talk-time"), seconds(second, "talk-time")
    eventually(lambda: seconds(second, "talk-time") > talks + 1, "the other one talks on")
    assert seconds(first, "talk-time") == talked, "one's own talk is over"


def seconds(agent: Page, clock: str) -> int:
    minutes, _, rest = agent.get_by_test_id(clock).inner_text().partition(":")
    return int(minutes) * 60 + int(rest)


def test_a_hostile_caller_is_text_and_moves_nothing(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("chenjing")
    wall = people.sign_in("huang")
    before = agent.get_by_test_id("call-card").bounding_box()
    agent.click("[data-action=ready]")
    name = "\u202e<img src=x onerror=document.title='owned'>" + "长" * 300
    demo.call("13800138006", name=name)
    in_state(agent, "OFFERED")
    assert agent.get_by_test_id("call-name").locator("img").count() == 0
    assert len(agent.get_by_test_id("call-name").inner_text()) <= 65
    expect(wall.locator("[data-testid=live-calls] [data-row]").filter(has_text="13800138006")).to_be_visible()
    assert wall.locator("[data-testid=live-calls] img").count() == 0
    assert "owned" not in agent.title() + wall.title()
    assert agent.get_by_test_id("call-card").bounding_box() == before, "the layout jumped"
    assert wall.evaluate("document.documentElement.scrollWidth <= innerWidth")
