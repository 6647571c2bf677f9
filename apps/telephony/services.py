"""Changes of telephony configuration, and the word to the engine that something changed."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import QuerySet

from apps.telephony.models import SipAccount, SipAccountKind, Switch
from apps.telephony.models.switches import random_secret

CONFIG_CHANNEL = "trunkline_config"


def config_changed() -> int:
    """The new configuration version. Call it inside the transaction that changed rows, once.

    PostgreSQL delivers the NOTIFY (payload: the version) when that transaction commits, never before.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO telephony_configversion (id, version, changed_at) VALUES (1, 1, now())"
            " ON CONFLICT (id) DO UPDATE SET version = telephony_configversion.version + 1, changed_at = now()"
            " RETURNING version"
        )
        version: int = cursor.fetchone()[0]
        cursor.execute("SELECT pg_notify(%s, %s)", [CONFIG_CHANNEL, str(version)])
    return version


def create_sip_account(switch: Switch, tenant_id: int, username: str, kind: SipAccountKind) -> SipAccount:
    """A new account with a random secret. Raises ``ValidationError`` when the switch has that name already."""
    account = SipAccount(switch=switch, tenant_id=tenant_id, username=username, kind=kind)
    account.full_clean()
    account.save()
    return account


@transaction.atomic
def renew_secrets(accounts: QuerySet[SipAccount]) -> int:
    """New random secrets; devices registered now stay until their registration runs out. Returns how many."""
    changed = list(accounts)
    for account in changed:
        account.secret = random_secret()
        account.save(update_fields=["secret"])  # one by one: the audit log does not see an update of many
    config_changed()
    return len(changed)
