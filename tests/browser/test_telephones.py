"""Telephones that are not in the page: a desk phone, a number outside; and one agent at two computers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People, RunningDemo, eventually, in_state
from tests.browser.test_console import talk

pytestmark = pytest.mark.browser

OUTSIDE = "13700000001"


def seat(demo: RunningDemo, kind: str, *, kept_open: bool = False) -> str:
    """Give 赵敏 another telephone; the account or number that rings."""
    outside = OUTSIDE if kind == "pstn" else ""
    trunk = "(SELECT min(id) FROM telephony_trunk)" if kind == "pstn" else "NULL"
    demo.change(
        f"UPDATE agents_agent SET device_kind = '{kind}', outside_number = '{outside}', outside_trunk_id = {trunk},"
        f" kept_open = {kept_open}"
        " WHERE number = '1007'"
    )
    account = outside or "1007"
    demo.simulator(do="behave", phone=account, answering="told")
    return account


@pytest.fixture
def no_seat_left(demo: RunningDemo) -> Iterator[None]:
    yield
    seat(demo, "browser")


@pytest.mark.usefixtures("no_seat_left")
@pytest.mark.parametrize(("kind", "said"), [("sip", "或直接摘机"), ("pstn", "请摘机")])
def test_a_telephone_on_the_desk_is_picked_up(people: People, demo: RunningDemo, kind: str, said: str) -> None:
    """No device of the page is asked for; the pop comes before the ring; mute and hold are the switch's."""
    account = seat(demo, kind)
    agent = people.sign_in_agent("zhaomin")
    expect(agent.get_by_test_id("phone")).to_contain_text(account)
    expect(agent.get_by_test_id("preflight")).to_have_count(0)
    agent.click("[data-action=ready]")
    in_state(agent, "READY")
    demo.call("13800138301", name="李四")
    in_state(agent, "OFFERED")
    expect(agent.get_by_test_id("pick-up")).to_have_text(said)
    expect(agent.get_by_test_id("call-number")).to_have_text("13800138301")
    expect(agent.locator("[data-action=answer]")).to_have_count(0 if kind == "pstn" else 1)
    demo.simulator(do="pick_up", phone=account)
    in_state(agent, "TALKING")
    agent.keyboard.press("F8")
    expect(agent.get_by_test_id("call-flags")).to_contain_text("已静音")
    agent.keyboard.press("F8")
    expect(agent.get_by_test_id("call-flags")).not_to_contain_text("已静音")
    agent.keyboard.press("F4")
    in_state(agent, "HOLDING")
    demo.simulator(do="put_down", phone=account)
    in_state(agent, "WRAP_UP")


def pick_up_when_it_rings(demo: RunningDemo) -> None:
    eventually(lambda: demo.ask_simulator(do="pick_up", phone=OUTSIDE)["ok"], "it rings")


@pytest.mark.usefixtures("no_seat_left")
def test_a_line_that_stays_open_is_picked_up_once(people: People, demo: RunningDemo) -> None:
    """Callers come by themselves; a line that is gone says so and comes back on request."""
    seat(demo, "pstn", kept_open=True)
    agent = people.sign_in_agent("zhaomin")
    line, banner = agent.get_by_test_id("line"), agent.get_by_test_id("banner")
    expect(line).to_have_attribute("data-line", "closed")
    agent.click("[data-action=ready]")
    expect(banner).to_have_attribute("data-code", "banner_line_dialing")
    pick_up_when_it_rings(demo)
    expect(line).to_have_attribute("data-line", "open")
    expect(banner).not_to_have_attribute("data-code", "banner_line_dialing")
    for number in ("13800138303", "13800138304"):
        in_state(agent, "READY")
        demo.call(number)
        in_state(agent, "TALKING")
        expect(agent.get_by_test_id("call-number")).to_have_text(number)
        agent.keyboard.press("Control+F2")
        in_state(agent, "WRAP_UP")
        expect(line).to_have_attribute("data-line", "open")
        agent.locator("label:has([data-disposition=resolved])").click()
        agent.keyboard.press("Control+Enter")
    in_state(agent, "READY")
    demo.simulator(do="put_down", phone=OUTSIDE)
    in_state(agent, "PAUSED")
    expect(banner).to_have_attribute("data-code", "banner_line_gone")
    agent.click("[data-action=ready]")
    pick_up_when_it_rings(demo)
    expect(line).to_have_attribute("data-line", "open")


def test_one_agent_at_two_computers_has_one_sound(people: People, demo: RunningDemo) -> None:
    """The newest page has it; the older says so and may have it back, in mid-call too."""
    first = people.sign_in_agent("chenjing")
    talk(first, demo, "13800138302")
    second = people.sign_in("chenjing")
    in_state(second, "TALKING")
    expect(second.get_by_test_id("console")).to_have_attribute("data-media", "owner")
    expect(first.get_by_test_id("banner")).to_have_attribute("data-code", "E05")
    expect(first.get_by_test_id("console")).to_have_attribute("data-media", "moved")
    first.get_by_test_id("move-here").click()
    expect(first.get_by_test_id("console")).to_have_attribute("data-media", "owner")
    expect(second.get_by_test_id("banner")).to_have_attribute("data-code", "E05")
    second.keyboard.press("F4")  # the call is controlled from either
    in_state(first, "HOLDING")
