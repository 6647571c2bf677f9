"""VIPs are in the engine's configuration, by whatever way they became ones, and only a difference makes a new one."""

from __future__ import annotations

from apps.accounts.models import Tenant
from apps.core.config import TenantConfig
from apps.core.ids import TenantId
from apps.customers import services
from apps.customers.models import Customer
from apps.customers.services import NumberData
from apps.customers.vips import tell_engine
from apps.telephony.center_config import compile_center_config, current_version


def compiled(tenant: Tenant) -> TenantConfig:
    return compile_center_config(1, tenant.pk).tenants[TenantId(str(tenant.pk))]


def test_a_customer_who_becomes_a_vip_is_known_to_the_engine_and_none_when_no_more(story: Tenant) -> None:
    Customer.objects.filter(tenant=story).update(level="standard")
    tell_engine()
    before = current_version()
    assert not tell_engine() and current_version() == before and compiled(story).vips == frozenset()
    numbers = [NumberData(number="+8613955507777"), NumberData(number="10086")]
    customer = services.create_customer(story.pk, {"name": "赵总", "level": "vip"}, numbers)
    assert tell_engine() and current_version() == before + 1
    assert compiled(story).vips == {"+8613955507777"}, "a short code is nobody's own"
    assert not tell_engine()
    services.update_customer(customer, {"name": "赵董"})
    assert not tell_engine(), "that is no difference to a call"
    services.update_customer(customer, {}, numbers=[NumberData(number="+8613955508888")])
    assert tell_engine() and compiled(story).vips == {"+8613955508888"}
    services.update_customer(customer, {"level": "gold"})
    assert tell_engine() and not compiled(story).vips


def test_one_tenants_vips_are_no_others(story: Tenant, other_tenant: Tenant) -> None:
    services.create_customer(story.pk, {"name": "赵总", "level": "vip"}, [NumberData(number="+8613955507777")])
    assert "+8613955507777" in compiled(story).vips and not compiled(other_tenant).vips
