"""What every request goes through: text that could be stored, a session that still counts, the person's language."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.sessions import PASSWORD, TOUCH_EVERY, duty, is_over

PROBLEM = "application/problem+json"


class RefuseNul(MiddlewareMixin):
    """PostgreSQL stores no U+0000 and a form has no use for it: 400, before any view meets it."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path or "%00" in query or "\x00" in query or self._in_form(request):
            return HttpResponseBadRequest(_("A NUL character cannot be used here."), content_type="text/plain")
        return None

    @staticmethod
    def _in_form(request: HttpRequest) -> bool:
        if request.content_type != "application/x-www-form-urlencoded":
            return False
        return any("\x00" in value for _name, values in request.POST.lists() for value in values)


class SessionPolicy(MiddlewareMixin):
    """Ends a session that is over, and keeps who must act first on the page where that is done."""

    def process_request(self, request: HttpRequest) -> HttpResponseBase | None:
        user = request.user
        if not isinstance(user, User):
            return None
        row = self._row(request)
        if is_over(user, row):
            row.delete()
            logout(request)
            messages.info(request, _("Your session has ended. Please sign in again."))
            return None
        if timezone.now() - row.last_seen_at > TOUCH_EVERY:
            UserSession.objects.filter(pk=row.pk).update(last_seen_at=timezone.now())
        return self._first(request, user)

    @staticmethod
    def _row(request: HttpRequest) -> UserSession:
        row = UserSession.objects.filter(session_key=request.session.session_key).first()
        if row is None:  # signed in by other means than the sign-in page, or the key was changed
            UserSession.objects.create_from_request(request)
            row = UserSession.objects.get(session_key=request.session.session_key)
        return row

    @staticmethod
    def _first(request: HttpRequest, user: User) -> HttpResponseBase | None:
        # The pages on which one does it, those on the way there, and the way out.
        open_to_all = (reverse("account_logout"), reverse("set_language"), "/account/", settings.STATIC_URL)
        if request.path.startswith(open_to_all) or not (wanted := duty(user)):
            return None
        text = (
            _("Choose a new password first.") if wanted == PASSWORD else _("Set up a second factor first: it is asked.")
        )
        if request.path.startswith("/api/"):
            problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": text, "code": wanted}
            return JsonResponse(problem, status=403, content_type=PROBLEM)
        messages.warning(request, text)
        return redirect("account_change_password" if wanted == PASSWORD else "mfa_activate_totp")


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
