"""Who uses the installation, and for which company. Everything else hangs on a tenant."""

from apps.accounts.models.people import PasswordUsed, Reach, Role, Team, User
from apps.accounts.models.tenants import (
    Coded,
    MfaPolicy,
    SessionsAtOnce,
    Tenant,
    TenantOwned,
    TenantOwnedOrShared,
    code_name,
    dialable,
    validate_time_zone,
)

__all__ = [
    "Coded",
    "MfaPolicy",
    "PasswordUsed",
    "Reach",
    "Role",
    "SessionsAtOnce",
    "Team",
    "Tenant",
    "TenantOwned",
    "TenantOwnedOrShared",
    "User",
    "code_name",
    "dialable",
    "validate_time_zone",
]
