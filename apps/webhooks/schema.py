"""The messages in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiWebhook, extend_schema
from rest_framework import serializers

from apps.webhooks.models import PING, EventType

TEXT = """Sent by POST and signed as [Standard Webhooks](https://www.standardwebhooks.com) has it: `webhook-id`,
`webhook-timestamp` and `webhook-signature` (`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body` with the key after
`whsec_`; several, separated by a space, for a day after the key was changed). Refuse what is older than five minutes.

Answer with 2xx within 5 s. Anything else, redirects too, is tried again for 24 hours, after 5 s, 30 s, 2, 10, 30, 60
and then every 120 minutes, a little more or less. 410 switches the webhook off, as do failures for 24 hours.

A message may come twice: it has the same `webhook-id` then. Messages of one call, or of one agent, come in order; one
that cannot be delivered holds the others of its call back for five minutes at most. `version` grows when a member
changes its meaning; members may be added at any time."""


class NamedCall(serializers.Serializer):
    id = serializers.CharField()
    direction = serializers.CharField()
    did = serializers.CharField()
    caller_number = serializers.CharField()
    caller_name = serializers.CharField()
    started_at = serializers.DateTimeField()


class NamedAgent(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    number = serializers.CharField()


class NamedQueue(serializers.Serializer):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()


class CallStartedData(serializers.Serializer):
    call = NamedCall()


class CallQueuedData(serializers.Serializer):
    call = NamedCall()
    queue = NamedQueue(allow_null=True)
    priority = serializers.IntegerField()
    queued_at = serializers.DateTimeField()
    again = serializers.BooleanField(help_text="Waited before and kept the place, e.g. after an agent did not answer.")


class CallWithAgentData(serializers.Serializer):
    call = NamedCall()
    queue = NamedQueue(allow_null=True)
    agent = NamedAgent(allow_null=True, help_text="Null where somebody outside was brought in.")
    leg = serializers.CharField()


class CallConsultedData(serializers.Serializer):
    call = NamedCall()
    agent = NamedAgent(allow_null=True, help_text="Who asks.")
    queue = NamedQueue(allow_null=True)
    kind = serializers.CharField(help_text="agent, queue, extension or number.")
    target = serializers.CharField()


class CallConsultEndedData(serializers.Serializer):
    call = NamedCall()
    agent = NamedAgent(allow_null=True)
    outcome = serializers.CharField(help_text="completed: the caller was connected with who was asked.")
    detail = serializers.CharField(allow_blank=True)


class CallEndedData(serializers.Serializer):
    call = NamedCall()
    outcome = serializers.CharField()
    cause = serializers.CharField()
    queue = NamedQueue(allow_null=True, required=False)
    agent = NamedAgent(allow_null=True, required=False)
    wait_ms = serializers.IntegerField(required=False)
    talk_ms = serializers.IntegerField(required=False)
    hold_ms = serializers.IntegerField(required=False)


class CallWrappedUpData(serializers.Serializer):
    call = NamedCall()
    agent = NamedAgent(allow_null=True)
    disposition = serializers.CharField(help_text="Its code; UNSET when wrap-up ran out.")
    note = serializers.CharField(allow_blank=True)
    wrap_up_ms = serializers.IntegerField()


class CallbackBookedData(serializers.Serializer):
    call = NamedCall(help_text="It goes on, and has the talk as well.")
    callback = serializers.CharField()
    queue = NamedQueue(allow_null=True)
    number = serializers.CharField()
    source = serializers.CharField()
    due_at = serializers.DateTimeField(help_text="The customer is not called before.")
    until_at = serializers.DateTimeField(help_text="Then it is given up.")


class CallbackTriedData(serializers.Serializer):
    call = NamedCall()
    callback = serializers.CharField()
    outcome = serializers.CharField()
    counted = serializers.BooleanField(help_text="False: not the customer's doing; it is no try of those allowed.")
    next_at = serializers.DateTimeField()


class CallbackEndedData(serializers.Serializer):
    call = NamedCall()
    callback = serializers.CharField()
    outcome = serializers.CharField()


class AgentStateChangedData(serializers.Serializer):
    agent = NamedAgent()
    state = serializers.CharField()
    before = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    call = serializers.CharField(allow_null=True)


class RecordingReadyData(serializers.Serializer):
    call = NamedCall()
    recording = serializers.CharField()
    duration_ms = serializers.IntegerField()
    audio = serializers.CharField(help_text="Path of the sound on this interface.")


class PingData(serializers.Serializer):
    webhook = serializers.IntegerField()


DATA: dict[str, type[serializers.Serializer]] = {
    EventType.CALL_ARRIVED: CallStartedData,
    EventType.CALL_DIALED: CallStartedData,
    EventType.CALL_QUEUED: CallQueuedData,
    EventType.CALL_OFFERED: CallWithAgentData,
    EventType.CALL_ANSWERED: CallWithAgentData,
    EventType.CALL_CONSULTED: CallConsultedData,
    EventType.CALL_CONSULT_ENDED: CallConsultEndedData,
    EventType.CALL_THREE_WAY: CallConsultedData,
    EventType.CALL_ENDED: CallEndedData,
    EventType.CALL_WRAPPED_UP: CallWrappedUpData,
    EventType.CALLBACK_BOOKED: CallbackBookedData,
    EventType.CALLBACK_TRIED: CallbackTriedData,
    EventType.CALLBACK_ENDED: CallbackEndedData,
    EventType.AGENT_STATE_CHANGED: AgentStateChangedData,
    EventType.RECORDING_READY: RecordingReadyData,
    PING: PingData,
}


def _message(event: str) -> type[serializers.Serializer]:
    """The envelope around the data of one event."""
    name = "".join(part.title() for part in event.replace("_", ".").split(".")) + "Message"
    members: dict[str, Any] = {
        "type": serializers.ChoiceField([event]),
        "version": serializers.IntegerField(),
        "timestamp": serializers.DateTimeField(),
        "data": DATA[event](),
    }
    return type(name, (serializers.Serializer,), members)


HEADERS = [
    OpenApiParameter(name, str, OpenApiParameter.HEADER, required=True)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
]


def _webhook(event: str) -> OpenApiWebhook:
    return OpenApiWebhook(
        name=event,
        decorator=extend_schema(
            summary=event,
            description=TEXT,
            request=_message(event),
            parameters=HEADERS,
            tags=["webhooks"],
            responses={"2XX": None},
        ),
    )


# The settings name each of them.
call_arrived = _webhook("call.arrived")
call_dialed = _webhook("call.dialed")
call_queued = _webhook("call.queued")
call_offered = _webhook("call.offered")
call_answered = _webhook("call.answered")
call_consulted = _webhook("call.consulted")
call_consult_ended = _webhook("call.consult_ended")
call_three_way = _webhook("call.three_way")
call_ended = _webhook("call.ended")
call_wrapped_up = _webhook("call.wrapped_up")
callback_booked = _webhook("callback.booked")
callback_tried = _webhook("callback.tried")
callback_ended = _webhook("callback.ended")
agent_state_changed = _webhook("agent.state_changed")
recording_ready = _webhook("recording.ready")
ping = _webhook(PING)
