"""Who asks: a token in the ``Authorization`` header, or the session of our own pages with its CSRF check."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from apps.accounts.audit import acts
from apps.accounts.models import User
from apps.accounts.permissions import can
from apps.api import tokens
from apps.api.models import ApiToken
from apps.api.problems import Forbidden, NotAuthenticated


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer tl_…`` (RFC 6750). A request that carries one is never judged by its cookies."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _space, text = header.partition(" ")
        if not header:
            return None
        if scheme.lower() != "bearer":
            raise NotAuthenticated("invalid_token", _("Send the token as: Authorization: Bearer <token>."))
        token = tokens.recognise(text.strip())
        if token is None:
            raise NotAuthenticated("invalid_token", _("This token is not known."))
        _check(token)
        if not can(token.user, "api.use"):
            raise Forbidden("permission_denied", _("Whoever made this token may not use the interface."))
        address = request.META.get("REMOTE_ADDR", "")
        if not tokens.allows_address(token, address):
            raise Forbidden("address_not_allowed", _("This token may not be used from this address."))
        tokens.note_use(token, address)
        acts(token.user)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="trunkline"'


def _check(token: ApiToken) -> None:
    """Raises ``NotAuthenticated`` for a token that was good once."""
    if token.revoked_at is not None:
        raise NotAuthenticated("token_revoked", _("This token was revoked."))
    if token.expired:
        raise NotAuthenticated("token_expired", _("This token has expired."))
    user = token.user
    if not user.is_active or (user.tenant_id != token.tenant_id and not user.is_superuser):
        raise NotAuthenticated("invalid_token", _("Whoever made this token may not sign in any more."))


class PageSession(SessionAuthentication):
    """The session cookie of our pages. Anything but reading needs the CSRF token (``X-CSRFToken``)."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except Exception as error:
            raise Forbidden("csrf_failed", _("The page's security token is missing or old: reload it.")) from error
