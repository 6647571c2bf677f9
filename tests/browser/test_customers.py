"""Customers in the browser: found, noted, made, merged; and a file that goes in, with reasons for what does not."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import People, RunningDemo, eventually, in_state

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>王"


def customers(people: People, username: str, **how: str) -> Page:
    page = people.sign_in(username, **how)
    page.wait_for_url(lambda url: "login" not in url)
    page.goto("/customers/")
    page.wait_for_selector("[data-testid=customer-list] a")
    return page


def find(page: Page, text: str, name: str) -> None:
    """By keyboard alone."""
    page.keyboard.press("Control+K")
    page.keyboard.type(text)
    row = page.locator("[data-testid=customer-list] a")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(name)
    page.keyboard.press("Tab")  # two filters lie between
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("customer")).to_contain_text(name)


def test_somebody_is_found_noted_and_changed(people: People) -> None:
    page = customers(people, "huang")
    find(page, "1174", "黄志强")
    expect(page.get_by_test_id("customer").get_by_test_id("level")).to_contain_text("VIP")
    on_its_way: list[Route] = []
    page.route("**/notes", lambda route: on_its_way.append(route))
    page.get_by_test_id("note-text").fill(f"{HOSTILE} 已回电")
    page.keyboard.press("Control+Enter")
    eventually(lambda: bool(on_its_way), "the note is sent")
    page.keyboard.press("Control+End")
    page.keyboard.type("，明天再打")  # while the server is slow
    on_its_way[0].continue_()
    expect(page.get_by_test_id("contacts")).to_contain_text(f"{HOSTILE} 已回电")
    expect(page.get_by_test_id("note-text")).to_have_value("，明天再打")
    page.unroute("**/notes")
    page.get_by_test_id("edit-customer").click()
    page.fill("[data-testid=customer-form] [name=company]", HOSTILE)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("customer")).to_contain_text(HOSTILE)
    assert page.evaluate("document.images.length") == 0


def test_somebody_new_with_a_number_that_is_none(people: People) -> None:
    page = customers(people, "martin", locale="en-US", scheme="dark")
    page.get_by_test_id("new-customer").click()
    page.fill("[name=name]", "Nora Quinn")
    page.get_by_text("Add number").click()
    page.fill("[name=number]", "not a number")
    page.get_by_test_id("save-customer").click()
    expect(page.locator("[data-testid=customer-form] [role=alert]")).to_contain_text("Not a telephone number")
    page.fill("[name=number]", "0044 20 7946 0018")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("customer")).to_contain_text("Nora Quinn")
    expect(page.locator("dl")).to_contain_text("+44 20 7946 0018")


def test_a_duplicate_is_merged(people: People) -> None:
    page = customers(people, "huang")
    page.get_by_test_id("new-customer").click()
    page.fill("[name=name]", "袁梦二")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("customer")).to_contain_text("袁梦二")
    find(page, "1988", "袁梦")
    page.get_by_test_id("customer-actions").click()
    page.get_by_role("menuitem").first.click()
    page.get_by_test_id("finder").fill("袁梦二")
    expect(page.get_by_test_id("finder-row")).to_have_count(1)
    page.keyboard.press("Enter")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("customer-dialog")).not_to_be_visible()
    page.get_by_test_id("customer-search").fill("袁梦二")
    expect(page.locator("[data-testid=customer-list] a")).to_have_count(0)


def test_a_file_goes_in_with_reasons_for_what_does_not(people: People) -> None:
    rows = [("客户编号", "姓名", "手机", "标签")]
    rows += [
        (f"B{index}", f"批量{index}", "无" if index % 100 == 0 else f"137{index:08d}", "批量")
        for index in range(1, 1201)
    ]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    page = customers(people, "huang")
    page.get_by_test_id("to-import").click()
    page.set_input_files(
        "[data-testid=import-file]", {"name": "x.png", "mimeType": "image/png", "buffer": b"\x89PNG\0\0" * 99}
    )
    expect(page.get_by_test_id("import-trouble")).to_contain_text("CSV")
    file = {"name": "名单.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode("gb18030")}
    page.set_input_files("[data-testid=import-file]", file)
    preview = page.get_by_test_id("import-preview")
    expect(preview.locator("tbody tr").first).to_contain_text("批量1")
    expect(page.get_by_test_id("import-encoding")).to_have_value("gb18030")
    page.get_by_test_id("import-start").click()
    page.wait_for_selector("[data-testid=import-job][data-status=done]")
    expect(page.get_by_test_id("import-created")).to_contain_text("1,188")
    expect(page.get_by_test_id("import-refused")).to_contain_text("12")
    faults = page.locator("[data-testid=import-faults] tbody tr")
    expect(faults).to_have_count(12)
    expect(faults.first).to_contain_text("不是电话号码")
    with page.expect_download() as download:
        page.get_by_test_id("import-report").click()
    report = download.value.path().read_text("utf-8-sig")
    assert report.splitlines()[1] == "101,手机,无,不是电话号码。"
    page.goto("/customers/")
    eventually(lambda: page.locator("[data-testid=customer-list] a").count() > 0, "the list")
    find(page, "批量777", "批量777")


def test_an_agent_may_look_but_not_import(people: People) -> None:
    page = people.sign_in_agent("chenjing")
    page.goto("/customers/")
    page.wait_for_selector("[data-testid=customer-list] a")
    expect(page.get_by_test_id("to-import")).to_have_count(0)
    page.goto("/customers/import/")
    expect(page.get_by_test_id("import-file")).to_have_count(0)
    page.goto("/agent/")


def take_call(agent: Page, demo: RunningDemo, number: str, **more: str) -> None:
    agent.click("[data-action=ready]")
    in_state(agent, "READY")
    agent.evaluate("document.activeElement?.blur()")
    demo.call(number, **more)
    in_state(agent, "OFFERED")


def finish_call(agent: Page) -> None:
    agent.keyboard.press("Control+F2")
    in_state(agent, "WRAP_UP")
    agent.get_by_test_id("wrap-up").get_by_text("已解决").click()
    agent.keyboard.press("Control+Enter")
    in_state(agent, "READY")


def test_the_pop_makes_a_customer_and_the_call_is_theirs(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("chenjing")
    take_call(agent, demo, "013900007788", name="钱多多")
    pop = agent.get_by_test_id("pop-match")
    expect(pop).to_have_attribute("data-result", "none")
    assert agent.evaluate("document.activeElement === document.body"), "the pop must not take the focus while it rings"
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    expect(pop.locator("[name=name]")).to_have_value("钱多多")
    expect(pop.locator("[name=number]")).to_have_value("139 0000 7788")
    pop.get_by_test_id("save-customer").click()
    expect(agent.get_by_test_id("pop-customer")).to_contain_text("钱多多")
    pop.get_by_test_id("note-text").fill("问了发票")
    pop.get_by_test_id("note-text").press("Control+Enter")
    expect(pop.get_by_test_id("contacts")).to_contain_text("问了发票")
    in_state(agent, "TALKING")
    finish_call(agent)
    page = customers(people, "huang")
    find(page, "7788", "钱多多")
    contacts = page.get_by_test_id("contacts")
    eventually(lambda: page.reload() and "已解决" in contacts.inner_text(), "the call among the contacts")
    expect(contacts.locator("[data-kind=call]")).to_have_count(1)
    expect(contacts).to_contain_text("问了发票")


def test_of_several_one_is_chosen(people: People, demo: RunningDemo) -> None:
    agent = people.sign_in_agent("chenjing")
    take_call(agent, demo, "02155501137")
    expect(agent.get_by_test_id("pop-match")).to_have_attribute("data-result", "several")
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    expect(agent.get_by_test_id("pop-candidate")).to_have_count(2)
    asked: list[Route] = []

    def keep(route: Route) -> None:
        asked.append(route)

    agent.route("**/api/v1/customers/*/calls", keep)  # a server that takes its time, until the next call
    agent.get_by_test_id("pop-candidate").filter(has_text="叶晓峰").click()
    eventually(lambda: agent.wait_for_timeout(50) or asked, "the choice was sent")
    finish_call(agent)
    demo.call("013900007789")
    in_state(agent, "OFFERED")
    expect(agent.get_by_test_id("pop-match")).to_have_attribute("data-result", "none")
    asked[0].continue_()
    expect(agent.get_by_test_id("toast").filter(has_text="已关联")).to_be_visible()
    expect(agent.get_by_test_id("pop-match")).to_have_attribute("data-result", "none")  # the next caller is not them
    agent.keyboard.press("F2")
    in_state(agent, "TALKING")
    finish_call(agent)
    page = customers(people, "huang")
    for name, calls in (("叶晓峰", 1), ("林晓彤", 0)):
        found = page.request.get("/api/v1/customers", params={"q": name}).json()["results"][0]

        def seen(found: dict[str, int] = found) -> int:
            contacts = page.request.get(f"/api/v1/customers/{found['id']}/timeline").json()["results"]
            return sum(1 for contact in contacts if contact["kind"] == "call")

        eventually(lambda seen=seen, calls=calls: seen() == calls, f"{calls} calls of {name}")
