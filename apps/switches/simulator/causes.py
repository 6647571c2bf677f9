"""What the switch calls a hang-up, in the core's words, and back."""

from __future__ import annotations

from apps.core.events import HangupCause

FROM_SWITCH: dict[str, HangupCause] = {
    "NORMAL_CLEARING": HangupCause.NORMAL,
    "NONE": HangupCause.NORMAL,
    "USER_BUSY": HangupCause.BUSY,
    "NO_ANSWER": HangupCause.NO_ANSWER,
    "ALLOTTED_TIMEOUT": HangupCause.NO_ANSWER,
    "CALL_REJECTED": HangupCause.REJECTED,
    "USER_NOT_REGISTERED": HangupCause.NOT_REGISTERED,
    "SUBSCRIBER_ABSENT": HangupCause.NOT_REGISTERED,
    "UNALLOCATED_NUMBER": HangupCause.UNALLOCATED,
    "NUMBER_CHANGED": HangupCause.UNALLOCATED,
    "NO_ROUTE_DESTINATION": HangupCause.UNALLOCATED,
    "NO_USER_RESPONSE": HangupCause.UNREACHABLE,
    "NORMAL_TEMPORARY_FAILURE": HangupCause.UNREACHABLE,
    "NETWORK_OUT_OF_ORDER": HangupCause.UNREACHABLE,
    "RECOVERY_ON_TIMER_EXPIRE": HangupCause.UNREACHABLE,
    "DESTINATION_OUT_OF_ORDER": HangupCause.CONGESTION,
    "NORMAL_CIRCUIT_CONGESTION": HangupCause.CONGESTION,
    "SWITCH_CONGESTION": HangupCause.CONGESTION,
    "ORIGINATOR_CANCEL": HangupCause.CANCELLED,
    "LOSE_RACE": HangupCause.ANSWERED_ELSEWHERE,
    "PICKED_OFF": HangupCause.ANSWERED_ELSEWHERE,
    "MEDIA_TIMEOUT": HangupCause.MEDIA_TIMEOUT,
    "INCOMPATIBLE_DESTINATION": HangupCause.INVALID,
    "INVALID_GATEWAY": HangupCause.INVALID,
    "INVALID_PROFILE": HangupCause.INVALID,
    "INVALID_NUMBER_FORMAT": HangupCause.INVALID,
}

TO_SWITCH: dict[HangupCause, str] = {
    HangupCause.BUSY: "USER_BUSY",
    HangupCause.NO_ANSWER: "NO_ANSWER",
    HangupCause.REJECTED: "CALL_REJECTED",
    HangupCause.UNALLOCATED: "UNALLOCATED_NUMBER",
    HangupCause.CONGESTION: "SWITCH_CONGESTION",
    HangupCause.CANCELLED: "ORIGINATOR_CANCEL",
    HangupCause.ANSWERED_ELSEWHERE: "LOSE_RACE",
}


def decode(raw: str) -> HangupCause:
    return FROM_SWITCH.get(raw, HangupCause.ERROR)


def encode(cause: HangupCause) -> str:
    return TO_SWITCH.get(cause, "NORMAL_CLEARING")
