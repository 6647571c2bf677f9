"""Recordings, and their sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.api.problems import NotFound, Problem
from apps.api.schema import problem
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet
from apps.recordings import sound
from apps.recordings.access_log import note_access
from apps.recordings.models import Recording, RecordingAccess, RecordingStatus
from apps.recordings.selectors import audible_recordings
from apps.recordings.waveform import NoShape, waveform

NO_SOUND = _("The sound of this recording is not within reach.")
Way = RecordingAccess.Way


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
DOWNLOAD = OpenApiParameter("download", OpenApiTypes.STR, description="Present: as a file with a name.")
WAV = {(200, "audio/wav"): OpenApiTypes.BINARY, (206, "audio/wav"): OpenApiTypes.BINARY}


class WaveformSerializer(serializers.Serializer):
    """Peaks of each channel (left: the customer, right: whom they talk with), all lists of the same length."""

    version = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    channels = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=255))
    )


@extend_schema(tags=["recordings"])
class RecordingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    queryset = Recording.objects.select_related("switch")
    serializer_class = RecordingSerializer
    scope = Scope.RECORDINGS_READ
    ordering = ("-asked_at", "-pk")

    def get_queryset(self) -> QuerySet[Recording]:
        if getattr(self, "swagger_fake_view", False):
            return Recording.objects.none()
        assert isinstance(self.request.user, User)
        return audible_recordings(self.request.user, self.tenant.pk)

    def filter_queryset(self, queryset: QuerySet[Recording]) -> QuerySet[Recording]:
        return queryset.filter(**self.filters(RecordingFilter)) if self.action == "list" else queryset

    @extend_schema(parameters=[RecordingFilter])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest first."""
        response: Response = super().list(request, *args, **kwargs)
        return response

    @extend_schema(
        parameters=[RANGE, DOWNLOAD],
        responses={
            **WAV,
            304: OpenApiResponse(description="Not changed since, as If-None-Match or If-Modified-Since ask."),
            409: problem("not_ready"),
            412: OpenApiResponse(description="Changed since, as If-Match or If-Unmodified-Since ask."),
            416: OpenApiResponse(description="No such part."),
        },
    )
    @action(detail=True, methods=["get"], content_negotiation_class=AnySound)
    def audio(self, request: Request, pk: str = "") -> HttpResponseBase:
        """The sound, whole or a part of it. Also answers HEAD. Who listens is noted."""
        recording, path = self._sound()
        try:
            response = sound.answer(request._request, path)
        except sound.NoSound:
            raise NotFound(NO_SOUND) from None
        download = "download" in request.query_params
        if download:
            response["Content-Disposition"] = f'attachment; filename="{recording.pk}{path.suffix}"'
        if request.method == "GET" and response.status_code in (200, 206):
            note_access(recording, request._request, Way.DOWNLOADED if download else Way.PLAYED)
        return response

    @extend_schema(responses={200: WaveformSerializer, 409: problem("not_ready"), 422: problem("no_waveform")})
    @action(detail=True, methods=["get"])
    def peaks(self, request: Request, pk: str = "") -> Response:
        """Its shape, to be drawn. 422: it cannot be read as 16-bit PCM, and may play all the same."""
        _recording, path = self._sound()
        try:
            shape = waveform(path, settings.STATE_DIR / "peaks")
        except OSError:
            raise NotFound(NO_SOUND) from None
        except NoShape:
            raise Problem("no_waveform", _("This recording's shape cannot be read."), status=422) from None
        return Response(shape, headers={"Cache-Control": "private, max-age=600"})

    def _sound(self) -> tuple[Recording, Path]:
        recording = self.get_object()
        if recording.status in (RecordingStatus.ASKED, RecordingStatus.RUNNING):
            raise Problem("not_ready", _("This recording still runs."), status=409)
        try:
            return recording, sound.file_of(recording)
        except sound.NoSound:
            raise NotFound(NO_SOUND) from None
