"""Addresses of the consoles."""

from django.urls import path, register_converter

from apps.consoles import floor, history, recordings, views


class StoredId:
    """An id of the engine's making; anything else is not found."""

    regex = r"[A-Za-z0-9_.-]{1,128}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(StoredId, "stored_id")

urlpatterns = [
    path("", views.home, name="home"),
    path("agent/", views.agent, name="agent"),
    path("wall/", floor.wall, name="wall"),
    path("wall/tv/<str:token>/", floor.tv, name="tv"),
    path("wall/alarms/acknowledge/", floor.acknowledge, name="acknowledge"),
    path("wall/day/calls.csv", floor.day_csv, {"kind": "calls"}, name="day-calls"),
    path("wall/day/queues.csv", floor.day_csv, {"kind": "queues"}, name="day-queues"),
    path("calls/", history.calls, name="calls"),
    path("calls/found/", history.calls_found, name="calls-found"),
    path("calls/<stored_id:call_id>/", history.call, name="call"),
    path("recordings/<stored_id:recording_id>/", recordings.sound, name="recording"),
    path("recordings/<stored_id:recording_id>/peaks/", recordings.peaks, name="peaks"),
]
