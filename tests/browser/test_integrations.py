"""An integrator's morning: a token seen once, a webhook that fails, is tried again and sent once more by hand."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.apps.webhooks.receiver import receiver
from tests.browser.conftest import People, RunningDemo, eventually

pytestmark = pytest.mark.browser


def status_of(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def shown_once(page: Page) -> str:
    """The secret of the dialog that shows it, which is then closed for good."""
    secret = page.get_by_test_id("secret").locator("input").input_value()
    page.get_by_test_id("kept").click()
    expect(page.get_by_test_id("secret")).to_be_hidden()
    return secret


def test_a_token_and_a_webhook_from_the_form_to_the_retry(people: People, demo: RunningDemo) -> None:
    page = people.sign_in("admin", locale="en-US")
    page.wait_for_selector("nav")
    page.goto("/integrations/#tokens")
    page.get_by_test_id("add-token").click()
    page.get_by_test_id("token-form").locator("input").first.fill("CRM")
    page.get_by_test_id("scopes").locator("input[value='calls:read']").check()
    page.get_by_test_id("make-token").click()
    token = shown_once(page)
    assert (status_of(f"{demo.url}/api/v1/calls", token), status_of(f"{demo.url}/api/v1/agents", token)) == (200, 403)
    page.reload()
    expect(page.get_by_test_id("tokens-table")).to_contain_text("CRM")
    assert token not in page.content()

    with receiver() as crm:
        crm.manner = 500
        page.goto("/integrations/")
        page.get_by_test_id("add-webhook").click()
        page.get_by_test_id("endpoint-form").locator("input").first.fill(crm.url)
        page.get_by_test_id("save-endpoint").click()
        assert shown_once(page).startswith("whsec_")
        demo.call("13955501100", talk_ms=0, patience_ms=500)
        row = page.locator("[data-testid=deliveries] [data-delivery]", has_text="call.arrived")
        expect(row).to_have_attribute("data-delivery", "pending")
        expect(row).to_contain_text("500")
        crm.manner = 200
        expect(row).to_have_attribute("data-delivery", "delivered")
        row.click()
        tries = page.locator(".inside h3")
        expect(tries.nth(1)).to_contain_text("500")
        expect(tries.nth(0)).to_contain_text("200")
        told = [message.id for message in crm.received]
        page.get_by_test_id("again").click()
        eventually(lambda: len(crm.received) > len(told), "sent once more by hand")
        page.get_by_test_id("remove").click()
        page.get_by_test_id("yes").click()
        expect(page.locator("[data-hook]", has_text=crm.url)).to_have_count(0)
