"""Who uses the installation, and for which company. Everything else hangs on a tenant."""

from apps.accounts.models.people import PasswordUsed, Reach, Role, Team, User
from apps.accounts.models.tenants import (
    MfaPolicy,
    SessionsAtOnce,
    Tenant,
    TenantOwned,
    code_name,
    dialable,
    validate_time_zone,
)

__all__ = [
    "MfaPolicy",
    "PasswordUsed",
    "Reach",
    "Role",
    "SessionsAtOnce",
    "Team",
    "Tenant",
    "TenantOwned",
    "User",
    "code_name",
    "dialable",
    "validate_time_zone",
]
