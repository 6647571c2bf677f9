"""What every fact is."""

from __future__ import annotations

from apps.core.ids import AgentId, CallId, TenantId
from apps.core.record import record


@record
class Fact:
    at_ms: int
    tenant: TenantId | None  # None: about the installation, not a tenant


@record
class CallFact(Fact):
    call: CallId


@record
class AgentFact(Fact):
    agent: AgentId
