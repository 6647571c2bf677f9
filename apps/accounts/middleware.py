"""The interface language of the person signed in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin

from apps.accounts.models import User


class UserLanguageMiddleware(MiddlewareMixin):
    """After LocaleMiddleware: a choice made in this browser comes first, then the person's own language.

    Somebody who set none keeps what the browser asks for.
    """

    def process_request(self, request: HttpRequest) -> None:
        if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
            return
        user = request.user
        if isinstance(user, User) and user.language:
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()
