"""Addresses of the consoles."""

from django.urls import path, register_converter

from apps.consoles import history, recordings, views


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
    path("wall/", views.wall, name="wall"),
    path("calls/", history.calls, name="calls"),
    path("calls/<stored_id:call_id>/", history.call, name="call"),
    path("recordings/<stored_id:recording_id>/", recordings.sound, name="recording"),
]
