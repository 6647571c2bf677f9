"""What the pages say and do when something is missing: a page, the engine, Redis and PostgreSQL, permission."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People, RunningDemo, in_state
from tests.browser.test_one_call import agent_row

pytestmark = pytest.mark.browser


def test_an_agent_whose_page_is_gone_is_disconnected_and_comes_back(people: People, demo: RunningDemo) -> None:
    wall = people.sign_in("huang")
    agent = people.sign_in_agent("yangfan")
    row = agent_row(wall, "杨帆")
    agent.goto("about:blank")
    expect(row).to_contain_text("断线", timeout=45_000)
    agent.goto("/agent/")
    in_state(agent, "PAUSED")
    expect(row).to_contain_text("示忙", timeout=45_000)


def test_a_killed_engine_is_shown_and_the_pages_recover(people: People, demo: RunningDemo) -> None:
    wall = people.sign_in("huang")
    agent = people.sign_in_agent("yangfan")
    os.kill(demo.pid_of("manage.py engine"), signal.SIGKILL)
    expect(agent.get_by_test_id("banner")).to_contain_text("引擎不可达", timeout=30_000)
    expect(wall.get_by_test_id("wall")).to_have_attribute("data-stale", "true")
    expect(agent.locator("[data-action=ready]")).to_be_disabled()
    expect(agent.get_by_test_id("console")).to_have_attribute("data-stale", "false", timeout=90_000)
    in_state(agent, "PAUSED")
    agent.click("[data-action=ready]")
    in_state(agent, "READY")
    expect(agent_row(wall, "杨帆")).to_contain_text("示闲")


def test_pages_go_on_without_redis_and_postgresql(people: People, demo: RunningDemo) -> None:
    wall = people.sign_in("huang")
    agent = people.sign_in_agent("yangfan")
    stopped = [demo.pid_of("redis"), demo.pid_of("postgres")]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        agent.click("[data-action=ready]")
        in_state(agent, "READY")
        demo.call("13800138010")
        in_state(agent, "OFFERED")
        agent.keyboard.press("F2")
        in_state(agent, "TALKING")
        expect(agent_row(wall, "杨帆")).to_contain_text("通话")
        agent.keyboard.press("Control+F2")
        in_state(agent, "WRAP_UP")
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_a_page_is_only_for_its_role(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("yangfan")
    other = agent.context.new_page()
    for path in ("/wall/", "/calls/"):
        reply = other.goto(path)
        assert reply is not None and reply.status == 403
    code = agent.evaluate(
        """() => new Promise((done) => {
            const socket = new WebSocket(`ws://${location.host}/ws/wall/`);
            socket.onclose = (event) => done(event.code);
        })"""
    )
    assert code == 4403
    supervisor = people.sign_in("huang")
    reply = supervisor.goto("/agent/")
    assert reply is not None and reply.status == 403


def test_signing_off_closes_the_other_tabs(people: People, demo: RunningDemo) -> None:
    wall = people.sign_in("martin", locale="en-US")
    expect(wall.get_by_test_id("wall")).to_have_attribute("data-stale", "false")
    other = wall.context.new_page()
    other.goto("/wall/")
    other.get_by_role("button", name="Leave").click()
    expect(wall.get_by_test_id("banner")).to_contain_text("session has ended")


def test_the_language_switch_holds(people: People, demo: RunningDemo) -> None:
    page = people.sign_in("huang", locale="zh-CN")
    expect(page.locator("h2").first).to_have_text("队列")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h2").first).to_have_text("Queues")
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("h2").first).to_have_text("队列")
