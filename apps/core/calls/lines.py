"""The way out: whether a number may be dialled, and by which trunk."""

from __future__ import annotations

from collections import Counter

from apps.core.calls import barring
from apps.core.center import Center
from apps.core.config import CenterConfig, DialPolicy, TrunkConfig
from apps.core.ids import SwitchId, TenantId, TrunkId
from apps.core.refusals import Refusal
from apps.core.state import State
from apps.core.texts import NUMBER


def policy_of(center: Center, tenant: TenantId | None) -> DialPolicy:
    config = center.state.config.tenants.get(tenant) if tenant is not None else None
    return config.dialing if config is not None else DialPolicy()


def use_of_trunks(state: State) -> Counter[TrunkId]:
    """Legs on each trunk now, in either direction, ringing ones and lines kept open included. O(legs)."""
    legs = (leg.trunk for call in state.calls.values() for leg in call.legs.values())
    kept = (line.trunk for line in state.kept_lines() if line.lent_as is None)
    return Counter(trunk for trunk in (*legs, *kept) if trunk is not None)


def number_problem(center: Center, tenant: TenantId | None, number: str) -> Refusal | None:
    """Why this tenant may not dial it, by whatever trunk."""
    if not NUMBER.fullmatch(number):
        return Refusal("bad_number", "not a telephone number")
    if not barring.allowed(policy_of(center, tenant), number):
        return Refusal("barred", "this number may not be dialled; ask your administrator")
    return None


def way_out(
    center: Center, tenant: TenantId | None, switch: SwitchId, number: str
) -> tuple[TrunkConfig | None, Refusal | None]:
    """A trunk for this number, or why there is none."""
    if (problem := number_problem(center, tenant, number)) is not None:
        return None, problem
    trunks = [
        trunk
        for trunk in center.state.config.trunks.values()
        if trunk.outbound and trunk.tenant == tenant and trunk.switch == switch
    ]
    if not trunks:
        return None, Refusal("no_trunk", "no trunk for outbound calls on this switch")
    use = use_of_trunks(center.state)
    free = [trunk for trunk in trunks if use[trunk.id] < trunk.max_calls]
    if not free:
        return None, Refusal("trunks_busy", "all trunks for outbound calls are in use")
    link = center.state.switches.get(switch)
    working = [trunk for trunk in free if link is None or link.trunks.get(trunk.id, True)]
    return next(iter(working or free)), None


def caller_numbers(config: CenterConfig, trunk: TrunkConfig) -> tuple[str, ...]:
    """What may be shown to who is called through this trunk, the default first: its own, and the tenant's numbers."""
    here = (did for did in config.dids.values() if did.tenant == trunk.tenant and did.switch == trunk.switch)
    numbers = sorted(did.number for did in here)
    return tuple(dict.fromkeys(filter(None, [trunk.caller_number, *numbers])))
