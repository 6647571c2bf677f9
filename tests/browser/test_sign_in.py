"""Signing in with a second factor, being signed out from elsewhere, and being locked out, as people see it."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, People, RunningDemo, eventually

pytestmark = pytest.mark.browser


def fresh_code(secret: str, used: set[str]) -> str:
    """A code that was not used yet: each works once. A telephone may be half a minute behind or ahead of us."""

    def codes() -> list[str]:
        now = int(time.time()) // 30
        return [format_hotp_value(hotp_value(secret, step)) for step in (now, now + 1)]

    code: str = eventually(lambda: next((code for code in codes() if code not in used), None), "the next code", 40)
    used.add(code)
    return code


def confirm_password(page: Page) -> None:
    """Asked again before a second factor is touched, when the sign-in was a while ago."""
    if "/account/confirm/" in page.url:
        page.fill("[name=password]", PASSWORD)
        page.click("main form button")


def test_a_second_factor_is_set_up_used_and_removed(people: People) -> None:
    page, used = people.sign_in("hemin", locale="en-US"), set[str]()
    page.goto("/account/second-factor/totp/activate/")
    confirm_password(page)
    secret = page.input_value("#authenticator_secret")
    expect(page.locator("img.qr")).to_be_visible()
    page.fill("[name=code]", fresh_code(secret, used))
    page.click("main form button")
    expect(page.locator("#recovery_codes")).to_be_visible()
    page.click(".bar-end form[action='/logout/'] button")

    page.fill("[name=username]", "hemin")
    page.fill("[name=password]", PASSWORD)
    page.click("[data-testid=sign-in] button")
    page.fill("[name=code]", "000000")
    page.click("main form button >> nth=0")
    expect(page.locator("[role=alert]")).to_be_visible()
    page.fill("[name=code]", fresh_code(secret, used))
    page.click("main form button >> nth=0")
    page.wait_for_url("**/wall/")

    page.goto("/account/second-factor/totp/deactivate/")
    confirm_password(page)
    page.click("main form button")
    expect(page.locator("main")).to_contain_text("not active")


def test_a_security_key_is_added_used_and_refused_to_others(people: People, demo: RunningDemo) -> None:
    """With Chromium's own authenticator. A key belongs to a name: an address of digits has none."""
    page = people.sign_in("hemin", locale="en-US")
    home = demo.url.replace("127.0.0.1", "localhost")
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    options = {**key, "automaticPresenceSimulation": True}
    authenticator = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def sign_in() -> None:
        page.goto(f"{home}/login/")
        page.fill("[name=username]", "hemin")
        page.fill("[name=password]", PASSWORD)
        page.click("[data-testid=sign-in] button")

    sign_in()
    page.wait_for_url("**/wall/")
    page.goto(f"{home}/account/second-factor/webauthn/add/")
    confirm_password(page)
    page.fill("[name=name]", "The blue one")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/recovery-codes/**")
    page.click(".bar-end form[action='/logout/'] button")

    sign_in()
    page.wait_for_selector("#mfa_webauthn_authenticate")
    page.goto(f"{home}/wall/")  # the password alone lets nobody in: the key is asked for again
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url("**/wall/")

    page.goto(f"{home}/account/second-factor/webauthn/")
    page.click("main a[href*='remove']")
    confirm_password(page)
    page.click("main form button >> nth=0")
    page.wait_for_url("**/second-factor/webauthn/")
    devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": authenticator})


def test_a_floor_that_is_open_ends_when_its_session_is_ended_elsewhere(people: People) -> None:
    wall, other = people.sign_in("hemin", locale="en-US"), people.sign_in("hemin", locale="en-US")
    wall.wait_for_url("**/wall/")
    wall.wait_for_selector("[data-testid=agents-table] [data-row]")
    other.goto("/account/sessions/")
    other.click("main form button")
    expect(wall.get_by_test_id("banner")).to_contain_text("session has ended")
    wall.reload()
    wall.wait_for_selector("[data-testid=sign-in]")


@pytest.mark.parametrize(("locale", "word"), [("en-US", "administrator"), ("zh-CN", "管理员")])
def test_a_locked_name_is_told_so(people: People, locale: str, word: str) -> None:
    page = people.sign_in(f"stranger-{locale}", locale=locale)
    for _ in range(4):
        page.fill("[name=username]", f"stranger-{locale}")
        page.fill("[name=password]", "wrong")
        page.click("[data-testid=sign-in] button")
    expect(page.get_by_test_id("locked")).to_contain_text(word)
