"""Addresses of the websockets."""

from django.urls import path

from apps.live.consumers import AgentPage, WallPage
from apps.live.tv import TvPage

websocket_urlpatterns = [
    path("ws/agent/", AgentPage.as_asgi()),
    path("ws/wall/", WallPage.as_asgi()),
    path("ws/tv/<str:token>/", TvPage.as_asgi()),
]
