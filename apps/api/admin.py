"""Tokens of programs, made here as on the integrations page; and what was asked of the engine over REST."""

from __future__ import annotations

import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.accounts.models import User
from apps.accounts.row_buttons import RowButtons
from apps.accounts.tenant_admin import ReadOnlyAdmin, TenantForm
from apps.api import tokens
from apps.api.models import ApiToken, Command
from apps.api.scopes import Scope, of_user


class TokenForm(TenantForm):
    scopes = forms.MultipleChoiceField(
        label=_("scopes"),
        choices=Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=ApiToken._meta.get_field("scopes").help_text,
    )

    def clean_expires_at(self) -> Any:
        value = self.cleaned_data["expires_at"]
        if value is not None and "expires_at" in self.changed_data and value <= timezone.now():
            raise ValidationError(_("This is past."))
        return value


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("good", _("usable")), ("expired", _("expired")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[ApiToken]) -> models.QuerySet[ApiToken]:
        past = models.Q(expires_at__lte=timezone.now())
        return {
            "good": queryset.filter(~past | models.Q(expires_at=None), revoked_at=None),
            "expired": queryset.filter(past, revoked_at=None),
            "revoked": queryset.exclude(revoked_at=None),
        }.get(self.value() or "", queryset)


@admin.register(ApiToken)
class ApiTokenAdmin(RowButtons):
    """Revoked, never deleted: the log of what it did names it."""

    form = TokenForm
    list_display = ("name", "prefix", "user", "shown_scopes", "usable", "expires_at", "last_used_at", "last_used_from")
    list_filter = (StateFilter, "user")
    search_fields = ("name", "prefix", "user__username", "last_used_from")
    list_select_related = ("user", "tenant")
    autocomplete_fields: tuple[str, ...] = ()
    add_fields = ("tenant", "name", "scopes", "networks", "rate_per_min", "expires_at")
    known = ("prefix", "user", "created_at", "revoked_at", "last_used_at", "last_used_from")
    actions = ("revoke_chosen",)
    row_buttons = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.add_fields if obj is None else (*self.add_fields, *self.known)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("tenant", *self.known)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Only scopes that its owner's role has: others would do nothing."""
        form = super().get_form(request, obj, **kwargs)
        owner = obj.user if obj is not None else request.user
        assert isinstance(owner, User)
        had = set(obj.scopes) if obj is not None else set()
        allowed = {str(scope) for scope in of_user(owner)} | had
        if "scopes" in form.base_fields:
            # A copy: the declared field is one object for all requests, of all people.
            form.base_fields["scopes"] = field = copy.deepcopy(form.base_fields["scopes"])
            field.choices = [(value, label) for value, label in Scope.choices if value in allowed]
        return form

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        if not change:
            assert isinstance(request.user, User)
            obj.user = request.user
            self._secret_of(request, tokens.give_secret(obj))
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        secret = self._secret_of(request)
        return self.shown_once(request, obj, secret, _("The program sends it as: Authorization: Bearer <token>."))

    @staticmethod
    def _secret_of(request: HttpRequest, secret: str = "") -> str:
        """Kept from the saving of the row to the answer, within one request."""
        if secret:
            request.new_secret = secret  # type: ignore[attr-defined]
        return str(request.new_secret)  # type: ignore[attr-defined]

    @admin.display(description=_("scopes"))
    def shown_scopes(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description=_("usable"), boolean=True)
    def usable(self, token: ApiToken) -> bool:
        return token.revoked_at is None and not token.expired and token.user.is_active

    def offers(self, name: str, row: Any) -> bool:
        return row.revoked_at is None

    @admin.action(description=_("Revoke, at once and for ever"))
    def revoke(self, request: HttpRequest, row: ApiToken) -> None:
        tokens.revoke(row)
        self.say(request, _("Revoked."))

    @admin.action(description=_("Revoke, at once and for ever"))
    def revoke_chosen(self, request: HttpRequest, queryset: models.QuerySet[ApiToken]) -> None:
        rows = list(queryset.filter(revoked_at=None))
        for token in rows:
            tokens.revoke(token)
        self.say(request, ngettext("%d token was revoked.", "%d tokens were revoked.", len(rows)) % len(rows))


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    """What was asked of the engine over REST, and what became of it. Kept for a week."""

    list_display = ("created_at", "user", "action", "subject", "finished_at", "refused_code")
    list_filter = ("action", "refused_code")
    search_fields = ("subject", "user__username")
    date_hierarchy = "created_at"
    list_select_related = ("user", "tenant")
