"""Recordings, and their sound."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.api import reach
from apps.api.problems import NotFound, Problem
from apps.api.schema import problem
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet
from apps.recordings import sound
from apps.recordings.access_log import begins, note_access
from apps.recordings.models import Recording, RecordingStatus


class RecordingSerializer(serializers.ModelSerializer):
    class Meta:
        model = Recording
        fields = ("id", "call", "leg_id", "status", "asked_at", "started_at", "ended_at", "duration_ms", "reason")


class RecordingFilter(serializers.Serializer):
    since = serializers.DateTimeField(required=False, source="asked_at__gte")
    until = serializers.DateTimeField(required=False, source="asked_at__lt")
    call = serializers.CharField(required=False, max_length=128, source="call_id")
    status = serializers.ChoiceField(RecordingStatus.choices, required=False)


class AnySound(BaseContentNegotiation):
    """A player's ``Accept`` says audio; problems are JSON whatever it says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


RANGE = OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="e.g. bytes=0-1023")
WAV = {(200, "audio/wav"): OpenApiTypes.BINARY, (206, "audio/wav"): OpenApiTypes.BINARY}


@extend_schema(tags=["recordings"])
class RecordingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    queryset = Recording.objects.select_related("switch")
    serializer_class = RecordingSerializer
    scope = Scope.RECORDINGS_READ
    ordering = ("-asked_at", "-pk")

    def get_queryset(self) -> QuerySet[Recording]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        assert isinstance(self.request.user, User)
        return rows.filter(call__in=reach.calls_for(self.request.user, self.tenant))

    def filter_queryset(self, queryset: QuerySet[Recording]) -> QuerySet[Recording]:
        return queryset.filter(**self.filters(RecordingFilter)) if self.action == "list" else queryset

    @extend_schema(parameters=[RecordingFilter])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest first."""
        response: Response = super().list(request, *args, **kwargs)
        return response

    @extend_schema(
        parameters=[RANGE],
        responses={**WAV, 409: problem("not_ready"), 416: OpenApiResponse(description="No such part.")},
    )
    @action(detail=True, methods=["get"], content_negotiation_class=AnySound)
    def audio(self, request: Request, pk: str = "") -> HttpResponseBase:
        """The sound, whole or a part of it. Also answers HEAD."""
        recording = self.get_object()
        if recording.status in (RecordingStatus.ASKED, RecordingStatus.RUNNING):
            raise Problem("not_ready", _("This recording still runs."), status=409)
        try:
            response = sound.answer(request._request, sound.file_of(recording))
        except (sound.NoSound, OSError):
            raise NotFound(_("The sound of this recording is not within reach.")) from None
        if begins(request._request):
            note_access(recording, request._request)
        return response
