"""People and companies who call, how they are reached, and what was noted about them."""

from apps.customers.models.contacts import CallLink, Note, NumberPlan
from apps.customers.models.imports import ImportChunk, ImportFault, ImportJob, ImportStatus
from apps.customers.models.people import Customer, Level, PhoneNumber, Tag

__all__ = [
    "CallLink",
    "Customer",
    "ImportChunk",
    "ImportFault",
    "ImportJob",
    "ImportStatus",
    "Level",
    "Note",
    "NumberPlan",
    "PhoneNumber",
    "Tag",
]
