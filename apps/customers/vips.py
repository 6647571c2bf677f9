"""VIPs where callers are put in order: the engine has their numbers in its configuration, so it asks nobody.

Levels and numbers change in many ways (by hand, by import, by merging, by erasure); so they are looked at now and then
as a whole, and a new configuration is made only where they differ.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

from apps.accounts.models import Tenant
from apps.customers.models import PhoneNumber
from apps.customers.models.people import Level
from apps.telephony.models import ConfigVersion
from apps.telephony.services import config_changed

MOST_OF_A_TENANT = 20_000
"""More would make every configuration large; whom everybody is, nobody is. Those on file longest count."""


def numbers_of_vips(tenants: Iterable[int]) -> dict[int, frozenset[str]]:
    """By tenant. Numbers that several people share count when one of them is a VIP; short codes are nobody's."""
    rows = PhoneNumber.objects.filter(
        customer__level=Level.VIP, customer__removed_at=None, number__startswith="+", extension="", tenant__in=tenants
    )
    found: dict[int, list[str]] = defaultdict(list)
    for tenant_id, number in rows.order_by("customer_id", "pk").values_list("tenant_id", "number"):
        if len(found[tenant_id]) < MOST_OF_A_TENANT:
            found[tenant_id].append(number)
    return {tenant_id: frozenset(numbers) for tenant_id, numbers in found.items()}


def tell_engine() -> bool:
    """A new configuration version where the VIPs are others than in the last one; whether there is one."""
    numbers = numbers_of_vips(Tenant.objects.values_list("pk", flat=True))
    listed = repr(sorted((tenant_id, sorted(found)) for tenant_id, found in numbers.items()))
    digest = hashlib.sha256(listed.encode()).hexdigest() if numbers else ""
    with transaction.atomic():
        known = ConfigVersion.objects.select_for_update().first()
        if digest == (known.vips if known is not None else ""):
            return False
        config_changed()
        ConfigVersion.objects.update(vips=digest)
    return True
