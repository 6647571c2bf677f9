"""Addresses of the consoles."""

from django.urls import path

from apps.consoles import history, recordings, views

urlpatterns = [
    path("", views.home, name="home"),
    path("agent/", views.agent, name="agent"),
    path("wall/", views.wall, name="wall"),
    path("calls/", history.calls, name="calls"),
    path("calls/<str:call_id>/", history.call, name="call"),
    path("recordings/<str:recording_id>/", recordings.sound, name="recording"),
]
