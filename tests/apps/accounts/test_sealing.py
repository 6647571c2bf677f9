"""Secrets at rest: not to be read in the database, readable through a change of keys, and never a crash."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.db import connection

from apps.accounts import sealing
from apps.accounts.models import Tenant, User
from apps.config.env import BadVariable, load
from apps.webhooks.models import Endpoint

OLD, NEW = "o" * 40, "n" * 40


def test_what_is_sealed_cannot_be_read_and_is_each_time_another(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (OLD,)
    one, other = sealing.seal("whsec_绝密"), sealing.seal("whsec_绝密")
    assert one != other and "绝密" not in one and sealing.unseal(one) == sealing.unseal(other) == "whsec_绝密"
    for damaged in (one[:-4] + "AAAA", "", "whsec_plain", one.swapcase()):
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(damaged)


def test_keys_of_few_characters_are_refused_and_none_means_the_signing_key() -> None:
    with pytest.raises(BadVariable, match="ENCRYPTION_KEYS"):
        load({"SECRET_KEY": "s" * 50, "ENCRYPTION_KEYS": f"{NEW},short", "ENGINE_TOKEN": "x"})
    assert load({"SECRET_KEY": "s" * 50, "ENGINE_TOKEN": "x"}).encryption_keys == ("s" * 50,)


@pytest.mark.django_db
def test_a_key_is_changed_without_losing_a_webhook_or_a_second_factor(story: Tenant, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (OLD,)
    endpoint = Endpoint.objects.create(tenant=story, url="https://crm.example.com/", events=["call.ended"])
    secret = endpoint.secret
    TOTP.activate(User.objects.get(username="huang"), "JBSWY3DPEHPK3PXP")
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    call_command("reseal", stdout=StringIO())
    settings.ENCRYPTION_KEYS = (NEW,)
    assert Endpoint.objects.get().secret == secret
    assert sealing.unseal(Authenticator.objects.get().data["secret"]) == "JBSWY3DPEHPK3PXP"
    with connection.cursor() as cursor:
        cursor.execute("SELECT webhooks_endpoint::text FROM webhooks_endpoint")
        assert secret not in cursor.fetchone()[0]


@pytest.mark.django_db
def test_what_no_key_opens_is_named_and_no_code_fits_it(story: Tenant, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (OLD,)
    endpoint = Endpoint.objects.create(tenant=story, url="https://crm.example.com/", events=["call.ended"])
    TOTP.activate(User.objects.get(username="huang"), "JBSWY3DPEHPK3PXP")
    sealed = endpoint.sealed_secret
    settings.ENCRYPTION_KEYS = (NEW,)
    with pytest.raises(CommandError, match=f"(?s)webhook {endpoint.pk} .*second factor of huang"):
        call_command("reseal", stdout=StringIO())
    endpoint.refresh_from_db()
    assert endpoint.sealed_secret == sealed, "a lost key that is found again opens it"
    factor = Authenticator.objects.get(user__username="huang").wrap()
    assert not any(factor.validate_code(f"{code:06}") for code in range(0, 1_000_000, 100_003))
