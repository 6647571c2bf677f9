"""What signing in is here, told to allauth: by user name, without sign-up or e-mail, under the tenant's policy."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from allauth.mfa.adapter import DefaultMFAAdapter
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.accounts import sealing
from apps.accounts.models import SessionsAtOnce, User
from apps.accounts.page_closing import close_pages
from apps.accounts.passwords import set_password
from apps.accounts.sessions import end_sessions, may_sign_in, needs_second_factor

log = structlog.get_logger(__name__)


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth's forms have no types
    """The field is called ``username``, as password managers and the tests know it."""

    error_messages = {
        "elsewhere": _("You are signed in elsewhere: sign out there first, or ask your administrator to end it."),
    }

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else field_name

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        if isinstance(self.user, User) and not may_sign_in(self.user):
            raise forms.ValidationError(self.error_messages["elsewhere"], code="elsewhere")
        return data


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # The same words for a wrong name and a wrong password: nobody learns which names exist.
        "username_password_mismatch": _("User name and password do not match. Mind capital letters."),
        "too_many_login_attempts": _("Too many attempts. Wait a few minutes and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        set_password(user, password, by_owner=True)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> Any:
        """Where one session is the rule and the newest wins, the others end now and their pages close."""
        if user.tenant is not None and user.tenant.sessions_at_once == SessionsAtOnce.NEWEST:
            end_sessions(user, but=request.session.session_key)
            close_pages(str(user.pk))
        return super().post_login(request, user, **kwargs)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keys of second factors are stored encrypted: a copy of the database is not enough to make codes."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _("Your company asks for a second factor: add another before you remove this."),
    }

    def get_totp_issuer(self) -> str:
        return "Trunkline"

    def encrypt(self, text: str) -> str:
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """One that cannot be read becomes one that no code fits: who has it is refused, and asks for a new one."""
        try:
            return sealing.unseal(encrypted_text)
        except sealing.Unreadable as error:
            log.error("second_factor_unreadable", error=str(error))
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        user = authenticator.user
        others = user.authenticator_set.exclude(pk=authenticator.pk).exclude(type="recovery_codes")
        return not needs_second_factor(user) or bool(others.exists())


def locked_out(request: HttpRequest, *_details: Any) -> HttpResponse:
    """axes' answer to a name that has failed too often, right or wrong."""
    context = {
        "failure_limit": settings.AXES_FAILURE_LIMIT,
        "cooloff_minutes": int(settings.AXES_COOLOFF_TIME.total_seconds() // 60),
    }
    return render(request, "account/locked.html", context, status=429)


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Under which name axes counts failures: user names differ by more than capitals."""
    name = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(name).strip().lower()[:150]
