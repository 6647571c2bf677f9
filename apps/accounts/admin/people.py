"""The people who sign in, and their teams."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts.audit_events import Event, note
from apps.accounts.models import Role, Team, User
from apps.accounts.page_closing import close_pages
from apps.accounts.passwords import set_password
from apps.accounts.sessions import end_sessions
from apps.accounts.tenant_admin import TenantForm, TenantScopedAdmin, own_tenant

RIGHTS = {"is_active", "role", "reach", "tenant", "is_superuser", "username"}

admin.site.unregister(Group)  # roles decide here


class TeamForm(TenantForm):
    def clean_leaders(self) -> models.QuerySet[User]:
        leaders: models.QuerySet[User] = self.cleaned_data["leaders"]
        others = leaders.exclude(role__in=(Role.SUPERVISOR, Role.ADMIN))
        if names := ", ".join(user.display_name for user in others):
            raise ValidationError(_("Only supervisors lead teams, not %(names)s."), params={"names": names})
        return leaders


@admin.register(Team)
class TeamAdmin(TenantScopedAdmin):
    form = TeamForm
    list_display = ("name", "led_by", "size")
    search_fields = ("name",)
    autocomplete_fields = ("leaders",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Team]:
        rows: models.QuerySet[Team] = super().get_queryset(request).prefetch_related("leaders")
        return rows.annotate(agents_count=models.Count("agents", distinct=True))

    @admin.display(description=_("led by"))
    def led_by(self, team: Team) -> str:
        return ", ".join(user.display_name for user in team.leaders.all()) or "-"

    @admin.display(description=_("agents"), ordering="agents_count")
    def size(self, team: Team) -> int:
        return int(getattr(team, "agents_count", 0))


class NewPasswordForm(AdminPasswordChangeForm):  # type: ignore[misc]
    """Somebody else's password: they change it when they next sign in."""

    def save(self, commit: bool = True) -> User:
        user: User = self.user
        if self.cleaned_data.get("set_usable_password") is False:
            saved: User = super().save(commit)
            return saved
        set_password(user, self.cleaned_data["password1"], by_owner=False)
        return user


class LockedFilter(admin.SimpleListFilter):
    title = _("locked out")
    parameter_name = "locked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[User]) -> models.QuerySet[User]:
        return queryset.filter(username__in=locked_names()) if self.value() == "yes" else queryset


def locked_names() -> list[str]:
    """User names (small letters) with enough failures to be locked somewhere."""
    attempts = AccessAttempt.objects.filter(failures_since_start__gte=settings.AXES_FAILURE_LIMIT)
    return list(attempts.values_list("username", flat=True).distinct())


@admin.register(User)
class UserAdmin(TenantScopedAdmin, DjangoUserAdmin):  # type: ignore[misc, type-arg]
    """Only a superuser can make another; what a person may do is the role."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = NewPasswordForm
    list_display = ("username", "shown_name", "role", "reach", "second_factor", "last_login", "is_active")
    list_filter = ("role", "is_active", LockedFilter, "led_teams")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    list_select_related = ("tenant",)
    readonly_fields = ("last_login", "date_joined", "password_set_at")
    actions = ("unlock", "sign_out", "forget_second_factor", "ask_new_password")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("last_name", "first_name", "email", "language")}),
        (_("Access"), {"fields": ("tenant", "role", "reach", "is_active", "must_change_password")}),
        (_("Known"), {"fields": ("last_login", "date_joined", "password_set_at")}),
    )
    superuser_fieldsets = (*fieldsets, (_("Installation"), {"fields": ("is_superuser",)}))
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username",
                    "last_name",
                    "first_name",
                    "tenant",
                    "role",
                    "reach",
                    "usable_password",
                    "password1",
                    "password2",
                ),
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        if obj is not None and own_tenant(request) is None:
            return self.superuser_fieldsets
        return super().get_fieldsets(request, obj)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        rows: models.QuerySet[User] = super().get_queryset(request)
        if own_tenant(request) is not None:
            rows = rows.filter(is_superuser=False)
        factors = Authenticator.objects.filter(user=models.OuterRef("pk")).exclude(
            type=Authenticator.Type.RECOVERY_CODES
        )
        return rows.annotate(has_factor=models.Exists(factors))

    @admin.display(description=_("name"), ordering="last_name")
    def shown_name(self, user: User) -> str:
        return user.display_name

    @admin.display(description=_("second factor"), boolean=True)
    def second_factor(self, user: User) -> bool:
        return bool(getattr(user, "has_factor", False))

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        obj.is_staff = obj.is_superuser or obj.role == Role.ADMIN
        if not change:
            obj.must_change_password = obj.has_usable_password()
        super().save_model(request, obj, form, change)
        if change and RIGHTS & set(form.changed_data):
            if not obj.is_active:
                end_sessions(obj)
            close_pages(str(obj.pk))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        end_sessions(obj)
        close_pages(str(obj.pk))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        reply = super().user_change_password(request, id, form_url)
        if request.method == "POST" and reply.status_code == 302 and (user := self.get_object(request, id)):
            end_sessions(user, but=request.session.session_key)
            close_pages(str(user.pk))
        return reply

    # --- actions ---

    @admin.action(description=_("Unlock"))
    def unlock(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        for user in queryset:
            AxesProxyHandler.reset_attempts(username=user.username.lower())
            note(Event.UNLOCKED, user, tenant_id=user.tenant_id)
        self._say(request, _("Unlocked."))

    @admin.action(description=_("Sign out everywhere"))
    def sign_out(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        for user in queryset:
            end_sessions(user)
            close_pages(str(user.pk))
            note(Event.SESSION_ENDED, user, tenant_id=user.tenant_id)
        self._say(request, _("Signed out everywhere."))

    @admin.action(description=_("Forget the second factor"))
    def forget_second_factor(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        """For a lost telephone; where the tenant asks for one, a new one is set up at the next sign-in."""
        for factor in Authenticator.objects.filter(user__in=queryset).select_related("user"):
            factor.delete()
            note(Event.FACTOR_REMOVED, factor.user, tenant_id=factor.user.tenant_id, factor=factor.type)
        self._say(request, _("Forgotten. Who must have one sets it up at the next sign-in."))

    @admin.action(description=_("Ask for a new password at the next sign-in"))
    def ask_new_password(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        for user in queryset:
            user.must_change_password = True
            user.save(update_fields=["must_change_password"])
        self._say(request, _("They choose a new password when they next sign in."))

    def _say(self, request: HttpRequest, text: Any) -> None:
        self.message_user(request, text, messages.SUCCESS)
