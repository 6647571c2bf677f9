"""Addresses of the consoles."""

from django.urls import path, register_converter

from apps.consoles import agent_day, agent_page, alarms, floor, history, integrations, phone, views


class StoredId:
    """An id of the engine's making; anything else is not found."""

    regex = r"[A-Za-z0-9_.-]{1,128}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class VoiceFile:
    """A plain wav file's name; anything else is not found."""

    regex = r"[a-z]{2}-[0-9]{1,3}-[0-9]{1,3}\.wav"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(StoredId, "stored_id")
register_converter(VoiceFile, "voice_file")

urlpatterns = [
    path("", views.home, name="home"),
    path("agent/", agent_page.agent, name="agent"),
    path("agent/day/", agent_day.day, name="agent-day"),
    path("agent/phone/", phone.account, name="agent-phone"),
    path("agent/phone/voices/<voice_file:name>", phone.voice, name="agent-voice"),
    path("wall/", floor.wall, name="wall"),
    path("wall/tv/<str:token>/", floor.tv, name="tv"),
    path("wall/alarms/acknowledge/", alarms.acknowledge, name="acknowledge"),
    path("wall/alarms/shelve/", alarms.shelve, name="shelve"),
    path("wall/alarms/unshelve/", alarms.unshelve, name="unshelve"),
    path("wall/day/calls.csv", floor.day_csv, {"kind": "calls"}, name="day-calls"),
    path("wall/day/queues.csv", floor.day_csv, {"kind": "queues"}, name="day-queues"),
    path("integrations/", integrations.integrations, name="integrations"),
    path("calls/", history.calls, name="calls"),
    path("calls/found/", history.calls_found, name="calls-found"),
    path("calls/<stored_id:call_id>/", history.call, name="call"),
    path("calls/<stored_id:call_id>/story/", history.call_story, name="call-story"),
]
