"""Passwords: chosen by their owner or by somebody else, and what a tenant asks of them."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import PasswordUsed, User

SUPERUSER_MIN_LENGTH = 12
SUPERUSER_HISTORY = 3


@transaction.atomic
def set_password(user: User, password: str, *, by_owner: bool) -> None:
    """Set and save it, and remember the one before. A password that somebody else chose must be changed at sign-in."""
    if user.pk and user.has_usable_password():
        PasswordUsed.objects.create(user=user, password=user.password)
    user.set_password(password)
    user.password_set_at = timezone.now()
    user.must_change_password = not by_owner
    user.save()
    for old in user.passwords_used.all()[_kept(user) :]:
        old.delete()


def _kept(user: User) -> int:
    """How many of the passwords before the present one are refused."""
    return user.tenant.password_history if user.tenant is not None else SUPERUSER_HISTORY


def is_expired(user: User) -> bool:
    days = user.tenant.password_max_age_days if user.tenant is not None else None
    return days is not None and timezone.now() - user.password_set_at > datetime.timedelta(days=days)


class TenantPolicy:
    """Django's validator for what the person's tenant asks: a length, and none of their last passwords."""

    def validate(self, password: str, user: Any = None) -> None:
        least = _least(user)
        if len(password) < least:
            raise ValidationError(self._length_text(least), code="password_too_short")
        if isinstance(user, User) and user.pk and self._used_before(password, user):
            raise ValidationError(_("You have used this password before: choose another."), code="password_used")

    def get_help_text(self) -> str:
        return _("As long as your company asks for, and none of your last ones.")

    @staticmethod
    def _length_text(least: int) -> str:
        text = ngettext("At least %(count)d character.", "At least %(count)d characters.", least)
        return text % {"count": least}

    @staticmethod
    def _used_before(password: str, user: User) -> bool:
        kept = _kept(user)
        if kept == 0:
            return False
        hashes = [user.password, *user.passwords_used.values_list("password", flat=True)[:kept]]
        return any(check_password(password, stored) for stored in hashes)


def _least(user: Any) -> int:
    tenant = user.tenant if isinstance(user, User) and user.tenant_id is not None else None
    return tenant.password_min_length if tenant is not None else SUPERUSER_MIN_LENGTH
