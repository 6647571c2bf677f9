"""What inputs share: causes, roles, the base."""

from __future__ import annotations

from enum import StrEnum

from apps.core.record import record


class HangupCause(StrEnum):
    """Why a leg ended, in words common to all switches. The switch's own word travels beside it as ``raw``."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    NOT_REGISTERED = "not_registered"
    UNALLOCATED = "unallocated"  # no such number
    UNREACHABLE = "unreachable"  # the far end or the trunk cannot be reached just now
    CONGESTION = "congestion"
    CANCELLED = "cancelled"  # by us, before it was answered
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    MEDIA_TIMEOUT = "media_timeout"
    INVALID = "invalid"  # wrong address, codec, gateway or profile: configuration, not chance
    LOST = "lost"  # the switch no longer knows the leg
    ERROR = "error"


class LegRole(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    EXTERNAL = "external"  # somebody outside, brought in by a transfer


@record
class Event:
    """Base of every input."""
