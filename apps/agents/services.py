"""Changes of agents that touch more than their row."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.agents.models import Agent, DeviceChoice
from apps.telephony.models import SipAccount, SipAccountKind, Switch
from apps.telephony.services import create_sip_account


@transaction.atomic
def give_device(agent: Agent, switch: Switch | None = None) -> None:
    """Make the SIP account of a browser or desk phone, with a random secret, where the agent has none yet.

    Without ``switch`` it is the first enabled one of the tenant or shared. Raises ``ValidationError`` if there is none.
    """
    if agent.device_kind == DeviceChoice.PSTN:
        return
    kind = SipAccountKind(agent.device_kind)
    if not needs_account(agent):
        SipAccount.objects.filter(agent=agent).update(kind=kind)
        return
    switch = switch_for(agent.tenant_id, switch)
    agent.sip_account = create_sip_account(switch, agent.tenant_id, _free_name(switch, agent), kind)
    agent.save(update_fields=["sip_account"])


def needs_account(agent: Agent) -> bool:
    return agent.device_kind != DeviceChoice.PSTN and agent.sip_account_id is None


def switch_for(tenant_id: int, wanted: Switch | None) -> Switch:
    """The switch for a new device. Raises ``ValidationError`` where there is none."""
    if wanted is not None:
        return wanted
    switches = Switch.objects.filter(Q(tenant_id=tenant_id) | Q(tenant=None), enabled=True).order_by("pk")
    switch = switches.first()
    if switch is None:
        raise ValidationError(_("There is no enabled switch for the agent's device: add one first."))
    return switch


def _free_name(switch: Switch, agent: Agent) -> str:
    """The extension; on a switch that tenants share the second to want it gets the tenant's code in front."""
    if not SipAccount.objects.filter(switch=switch, username=agent.number).exists():
        return agent.number
    return f"{agent.tenant.code}-{agent.number}"


@transaction.atomic
def delete_agent(agent: Agent) -> None:
    """The account goes with its agent. History stays."""
    account = agent.sip_account
    agent.delete()
    if account is not None:
        account.delete()
