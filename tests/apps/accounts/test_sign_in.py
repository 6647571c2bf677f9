"""Signing in: by password and second factor, lock-out, one session or several, and what must be done first."""

from __future__ import annotations

import itertools
import re
import time
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import Tenant, User
from apps.accounts.passwords import set_password
from apps.accounts.sessions import end_sessions, live_users
from tests.apps.conftest import signed_in

pytestmark = pytest.mark.django_db
PASSWORD = "cloudbridge-demo"


@pytest.fixture(autouse=True)
def _no_memory_of_earlier_attempts() -> None:
    cache.clear()


def sign_in(username: str, password: str = PASSWORD, client: Client | None = None, **data: str) -> tuple[Client, Any]:
    client = client or Client(headers={"accept-language": "en"})
    reply = client.post("/login/", {"username": username, "password": password, **data})
    return client, reply


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up_totp(client: Client) -> str:
    """By the pages, as a person does it. Returns the secret."""
    page = client.get("/account/second-factor/totp/activate/")
    if page.status_code == 302:  # asks for the password again after a while
        client.post(page["Location"], {"password": PASSWORD})
        page = client.get("/account/second-factor/totp/activate/")
    secret = re.search(r'id="authenticator_secret"[^>]* value="(\w+)"', page.content.decode())
    assert secret, page.content.decode()
    reply = client.post("/account/second-factor/totp/activate/", {"code": code_of(secret[1])})
    assert reply.status_code == 302, reply.content.decode()
    cache.clear()  # the same code again within its half minute is refused, and rightly
    return secret[1]


# --- password -------------------------------------------------------------------------------------------------------


def test_the_right_password_gets_in_and_on_to_where_one_wanted(story: Tenant) -> None:
    client, reply = sign_in("huang", next="/calls/")
    assert reply.status_code == 302 and reply["Location"] == "/calls/" and is_in(client)
    assert client.get("/login/").status_code == 302, "who is in has no use for the sign-in page"
    assert client.get("/logout/").status_code == 200 and is_in(client), "a link cannot sign anybody off"
    client.post("/logout/")
    assert not is_in(client)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site(story: Tenant, elsewhere: str) -> None:
    _client, reply = sign_in("huang", next=elsewhere)
    assert "evil" not in reply["Location"] and "javascript" not in reply["Location"]


def test_a_wrong_name_a_wrong_password_and_a_disabled_account_read_alike(story: Tenant) -> None:
    User.objects.filter(username="lina").update(is_active=False)
    answers = set()
    for username, password in (("nobody-here", PASSWORD), ("huang", "wrong"), ("lina", "wrong")):
        client, reply = sign_in(username, password)
        assert reply.status_code == 200 and not is_in(client)
        answers.add("".join(re.findall(r'role="alert">([^<]*)', reply.content.decode())))
    assert len(answers) == 1 and "do not match" in answers.pop()


def test_there_is_no_sign_up_and_no_reset_by_mail(story: Tenant) -> None:
    for path in ("/signup/", "/account/signup/", "/account/password/reset/", "/password/reset/", "/account/email/"):
        assert Client().get(path).status_code == 404, path


def test_a_sign_in_without_the_token_of_its_page_is_refused(story: Tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/login/", {"username": "huang", "password": PASSWORD}).status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize(("language", "word"), [("en", "Sign in"), ("zh-CN", "登录")])
def test_the_sign_in_page_speaks_the_browsers_language(language: str, word: str) -> None:
    page = Client(headers={"accept-language": language}).get("/login/").content.decode()
    assert f"<h1>{word}</h1>" in page


# --- lock-out -------------------------------------------------------------------------------------------------------


def test_five_wrong_passwords_lock_a_name_at_this_address_and_an_administrator_unlocks_it(story: Tenant) -> None:
    for _ in range(4):
        assert sign_in("wangfang", "wrong")[1].status_code == 200
    locked = sign_in("WangFang", "wrong")[1]  # capitals do not buy more attempts
    assert locked.status_code == 429 and "Your administrator can unlock it" in locked.content.decode()
    client, reply = sign_in("wangfang")
    assert reply.status_code == 429 and not is_in(client), "also with the right password"
    assert sign_in("lina")[1].status_code == 302, "colleagues at the same address are not locked"
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in("wangfang", client=elsewhere)[1].status_code == 302, "nor the name at another address"
    user = User.objects.get(username="wangfang")
    admin = signed_in("admin")
    assert not AccessAttempt.objects.filter(post_data__contains="wrong").exists(), "passwords are not kept"
    admin.post("/admin/accounts/user/", {"action": "unlock", "_selected_action": [user.pk]})
    assert sign_in("wangfang")[1].status_code == 302


def test_a_lock_ends_by_itself(story: Tenant) -> None:
    with time_machine.travel(0, tick=True) as clock:
        for _ in range(5):
            sign_in("wangfang", "wrong")
        clock.shift(14 * 60)
        assert sign_in("wangfang")[1].status_code == 429
        clock.shift(2 * 60)
        assert sign_in("wangfang")[1].status_code == 302


# --- second factor --------------------------------------------------------------------------------------------------


def test_with_a_second_factor_a_password_alone_is_not_enough(story: Tenant) -> None:
    client, _reply = sign_in("huang")
    secret = set_up_totp(client)
    client, reply = sign_in("huang")
    assert reply["Location"].startswith("/account/second-factor/authenticate/") and not is_in(client)
    assert client.get("/wall/").status_code == 302
    wrong = client.post("/account/second-factor/authenticate/", {"code": "000000"})
    assert wrong.status_code == 200 and not is_in(client)
    assert client.post("/account/second-factor/authenticate/", {"code": code_of(secret)}).status_code == 302
    assert is_in(client)


def test_a_code_works_once_and_codes_cannot_be_guessed(story: Tenant) -> None:
    secret = set_up_totp(sign_in("huang")[0])
    code = code_of(secret)
    first, _reply = sign_in("huang")
    first.post("/account/second-factor/authenticate/", {"code": code})
    second, _reply = sign_in("huang")
    second.post("/account/second-factor/authenticate/", {"code": code})
    assert is_in(first) and not is_in(second)
    for guess in range(20):
        reply = second.post("/account/second-factor/authenticate/", {"code": f"{guess:06}"})
    assert "Too many" in reply.content.decode()


def test_a_recovery_code_works_once_and_secrets_are_not_stored_in_the_clear(story: Tenant) -> None:
    client, _reply = sign_in("huang")
    secret = set_up_totp(client)
    page = client.get("/account/second-factor/recovery-codes/").content.decode()
    codes = re.search(r'<textarea[^>]*id="recovery_codes"[^>]*>([\d\s]+)</textarea>', page)
    assert codes, page
    code = codes[1].split()[0]
    stored = "".join(str(row.data) for row in Authenticator.objects.all())
    assert secret not in stored and code not in stored
    for expected in (True, False):
        other, _reply = sign_in("huang")
        other.post("/account/second-factor/authenticate/", {"code": code})
        assert is_in(other) is expected


@pytest.mark.parametrize(
    ("policy", "username", "asked"),
    [
        ("nobody", "admin", False),
        ("admins", "admin", True),
        ("admins", "huang", False),
        ("staff", "huang", True),
        ("staff", "wangfang", False),
        ("everybody", "wangfang", True),
    ],
)
def test_who_must_have_a_second_factor_sets_it_up_before_anything_else(
    story: Tenant, policy: str, username: str, asked: bool
) -> None:
    Tenant.objects.filter(pk=story.pk).update(mfa_policy=policy)
    client, _reply = sign_in(username)
    reply = client.get("/")
    assert (reply.get("Location") == "/account/second-factor/totp/activate/") is asked
    if not asked:
        return
    assert client.get("/admin/").status_code == 302
    api = client.get("/api/v1/queues/")
    assert api.status_code == 403 and api["Content-Type"] == "application/problem+json"
    set_up_totp(client)
    assert client.get("/").get("Location") != "/account/second-factor/totp/activate/"
    assert client.post("/account/second-factor/totp/deactivate/").status_code != 302 or (
        Authenticator.objects.filter(type="totp").exists()
    ), "nor may the last one be removed"


# --- sessions -------------------------------------------------------------------------------------------------------


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(story: Tenant) -> None:
    Tenant.objects.filter(pk=story.pk).update(idle_timeout_min=30, session_hours=8)
    with time_machine.travel("2026-11-26T08:00:00Z", tick=True) as clock:
        client, _reply = sign_in("huang")
        for _ in range(15):  # seven and a half hours of work
            clock.shift(29 * 60)
            assert client.get("/wall/").status_code == 200
        clock.shift(31 * 60)
        assert client.get("/wall/").status_code == 302 and not is_in(client), "idle"
        client, _reply = sign_in("huang")
        for _ in range(17):
            clock.shift(28 * 60)
            assert client.get("/wall/").status_code == 200
        clock.shift(5 * 60)
        reply = client.get("/wall/", follow=True)
        assert not is_in(client) and "Your session has ended" in reply.content.decode(), "old, though in use"


@pytest.mark.parametrize(("rule", "first_in", "second_in"), [
    ("many", True, True), ("newest", False, True), ("oldest", True, False),
])  # fmt: skip
def test_two_sign_ins_of_one_person(story: Tenant, rule: str, first_in: bool, second_in: bool) -> None:
    Tenant.objects.filter(pk=story.pk).update(sessions_at_once=rule)
    first, _reply = sign_in("huang")
    second, reply = sign_in("huang")
    assert (first.get("/wall/").status_code == 200) is first_in
    assert (second.get("/wall/").status_code == 200) is second_in
    if rule == "oldest":
        assert "signed in elsewhere" in reply.content.decode()
        UserSession.objects.update(last_seen_at="2026-01-01T00:00:00Z")  # its browser crashed
        assert sign_in("huang")[1].status_code == 302


def test_a_session_ends_with_its_account_its_password_and_by_signing_out_everywhere(story: Tenant) -> None:
    user = User.objects.get(username="huang")

    def session() -> tuple[Client, str]:
        client, _reply = sign_in("huang", password)
        client.get("/wall/")
        return client, str(client.session.session_key)

    password = PASSWORD
    client, key = session()
    assert live_users([key, "no-such-session"]) == {key: user}
    assert end_sessions(user) == 1 and client.get("/wall/").status_code == 302 and not live_users([key])
    client, key = session()
    set_password(user, password := "another-good-one", by_owner=True)
    assert client.get("/wall/").status_code == 302 and not live_users([key])
    client, key = session()
    User.objects.update(is_active=False)
    assert client.get("/wall/").status_code == 302 and not live_users([key])


# --- passwords ------------------------------------------------------------------------------------------------------


def change_password(client: Client, old: str, new: str) -> Any:
    return client.post("/account/password/", {"oldpassword": old, "password1": new, "password2": new})


def test_a_password_that_somebody_else_chose_is_changed_first_and_other_sessions_end(story: Tenant) -> None:
    user = User.objects.get(username="huang")
    set_password(user, "chosen-by-admin", by_owner=False)
    client, _reply = sign_in("huang", "chosen-by-admin")
    other, _reply = sign_in("huang", "chosen-by-admin")
    assert client.get("/wall/")["Location"] == "/account/password/"
    assert "Choose a new password" in client.get("/account/password/").content.decode()
    assert change_password(client, "chosen-by-admin", "my-own-choice-1").status_code == 302
    assert client.get("/wall/").status_code == 200, "one's own session goes on"
    assert other.get("/wall/").status_code == 302 and other.get("/wall/")["Location"].startswith("/login/")


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("short-one", "At least 12 characters"),
        (PASSWORD, "used this password before"),
        ("huang-huang", "At least 12 characters"),
        ("password12345", "too common"),
    ],
)
def test_a_password_is_as_the_tenant_wants_it(story: Tenant, new: str, reason: str) -> None:
    Tenant.objects.filter(pk=story.pk).update(password_min_length=12)
    client, _reply = sign_in("huang")
    reply = change_password(client, PASSWORD, new)
    assert reply.status_code == 200 and reason in reply.content.decode()


def test_the_last_passwords_are_not_used_again(story: Tenant) -> None:
    Tenant.objects.filter(pk=story.pk).update(password_history=2)
    client, _reply = sign_in("huang")
    passwords = [PASSWORD, "the-second-one", "the-third-one!", "the-fourth-one"]
    for old, new in itertools.pairwise(passwords):
        assert change_password(client, old, new).status_code == 302
    assert "before" in change_password(client, "the-fourth-one", "the-second-one").content.decode()
    assert change_password(client, "the-fourth-one", PASSWORD).status_code == 302, "the fourth last is free again"
    assert User.objects.get(username="huang").passwords_used.count() == 2


def test_an_expired_password_is_changed_first(story: Tenant) -> None:
    Tenant.objects.filter(pk=story.pk).update(password_max_age_days=90)
    client, _reply = sign_in("huang")
    assert client.get("/wall/").status_code == 200
    User.objects.update(password_set_at="2026-01-01T00:00:00Z")
    assert client.get("/wall/")["Location"] == "/account/password/"


# --- what arrives ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/admin/queues/queue/?q=%00", "/calls/?q=%00", "/calls/%00/", "/login/?next=%00"])
def test_a_nul_in_an_address_is_a_bad_request(story: Tenant, path: str) -> None:
    assert signed_in("admin").get(path).status_code == 400


def test_a_nul_in_a_form_is_a_bad_request(story: Tenant) -> None:
    assert Client().post("/login/", {"username": "a\x00", "password": "b"}).status_code in (200, 400)
    body = "username=a%00&password=b"
    reply = Client().post("/login/", body, content_type="application/x-www-form-urlencoded")
    assert reply.status_code == 400
