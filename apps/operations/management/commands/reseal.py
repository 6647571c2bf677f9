"""``manage.py reseal``: encrypt every secret in the database anew, under the first of ``ENCRYPTION_KEYS``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts.sealing import Unreadable, reseal
from apps.webhooks.models import Endpoint

SEALED_BY_MFA = {"secret", "seed", "migrated_codes"}


class Command(BaseCommand):
    help = "Encrypt secrets anew after a change of ENCRYPTION_KEYS. What no key opens is named and left as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = [*_webhooks(), *_second_factors()]
        if unreadable:
            raise CommandError("No key opens these; the others were encrypted anew:\n" + "\n".join(unreadable))
        self.stdout.write("Every secret is encrypted under the first key.")


def _webhooks() -> Iterator[str]:
    """Names of those that stay unreadable."""
    for pk in Endpoint.objects.order_by("pk").values_list("pk", flat=True):
        try:
            with transaction.atomic():  # a key may be rotated meanwhile
                endpoint = Endpoint.objects.select_for_update().get(pk=pk)
                old = endpoint.sealed_old_secret
                Endpoint.objects.filter(pk=pk).update(
                    sealed_secret=reseal(endpoint.sealed_secret), sealed_old_secret=reseal(old) if old else ""
                )
        except Unreadable:
            yield f"webhook {pk} {endpoint.url}: give it a new key"


def _second_factors() -> Iterator[str]:
    """Those of ``SecondFactorAdapter``. Names of those that stay unreadable."""
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        try:
            with transaction.atomic():
                row = Authenticator.objects.select_for_update().get(pk=pk)
                for name in SEALED_BY_MFA & row.data.keys():
                    value = row.data[name]
                    row.data[name] = [reseal(one) for one in value] if isinstance(value, list) else reseal(value)
                row.save(update_fields=["data"])
        except Unreadable:
            yield f"second factor of {row.user.get_username()}: forget it in the admin"
