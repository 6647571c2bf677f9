"""Hangup causes: FreeSWITCH's words and ours (seen live; the rest from switch_types.h)."""

from __future__ import annotations

from apps.core.events import HangupCause

_OURS: dict[HangupCause, tuple[str, ...]] = {
    HangupCause.NORMAL: (
        "NORMAL_CLEARING", "NORMAL_UNSPECIFIED", "MANAGER_REQUEST", "BLIND_TRANSFER", "ATTENDED_TRANSFER", "SUCCESS",
    ),
    HangupCause.BUSY: ("USER_BUSY",),
    HangupCause.NO_ANSWER: ("NO_ANSWER", "ALLOTTED_TIMEOUT", "PROGRESS_TIMEOUT"),
    HangupCause.REJECTED: ("CALL_REJECTED", "DECLINE", "OUTGOING_CALL_BARRED", "INCOMING_CALL_BARRED"),
    HangupCause.NOT_REGISTERED: ("USER_NOT_REGISTERED", "SUBSCRIBER_ABSENT"),
    HangupCause.UNALLOCATED: ("UNALLOCATED_NUMBER", "NUMBER_CHANGED", "NO_ROUTE_DESTINATION"),
    HangupCause.UNREACHABLE: (
        "NORMAL_TEMPORARY_FAILURE", "NO_USER_RESPONSE", "RECOVERY_ON_TIMER_EXPIRE", "NETWORK_OUT_OF_ORDER",
        "GATEWAY_DOWN",
    ),
    HangupCause.CONGESTION: (
        "DESTINATION_OUT_OF_ORDER", "SWITCH_CONGESTION", "NORMAL_CIRCUIT_CONGESTION", "REQUESTED_CHAN_UNAVAIL",
    ),
    HangupCause.CANCELLED: ("ORIGINATOR_CANCEL",),
    HangupCause.ANSWERED_ELSEWHERE: ("LOSE_RACE", "PICKED_OFF"),
    HangupCause.MEDIA_TIMEOUT: ("MEDIA_TIMEOUT",),
    HangupCause.INVALID: (
        "INCOMPATIBLE_DESTINATION", "INVALID_GATEWAY", "INVALID_PROFILE", "INVALID_NUMBER_FORMAT", "INVALID_URL",
        "CHAN_NOT_IMPLEMENTED", "BEARERCAPABILITY_NOTAVAIL", "MANDATORY_IE_MISSING",
    ),
    HangupCause.LOST: ("SYSTEM_SHUTDOWN", "CRASH"),
}  # fmt: skip

_BY_WORD = {word: cause for cause, words in _OURS.items() for word in words}


def cause_of(word: str) -> HangupCause:
    """Ours for FreeSWITCH's. What is in no table is an error: the word itself travels beside it."""
    return _BY_WORD.get(word, HangupCause.ERROR)


def word_of(cause: HangupCause) -> str:
    """FreeSWITCH's for ours, for ``uuid_kill``."""
    return _OURS[cause][0] if cause in _OURS else "NORMAL_UNSPECIFIED"
