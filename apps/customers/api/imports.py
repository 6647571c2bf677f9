"""Imports over REST: send a file, confirm its columns, start, watch, and fetch what was wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.api.parsers import StrictJSONParser
from apps.api.problems import Problem
from apps.api.schema import problem
from apps.api.scopes import Scope
from apps.customers import cleaning, words
from apps.customers.api.people import PermittedView
from apps.customers.export import csv_lines
from apps.customers.imports import columns, limits, running, upload
from apps.customers.imports.encoding import KNOWN
from apps.customers.imports.limits import FileRefused
from apps.customers.imports.preview import preview
from apps.customers.imports.tables import DELIMITERS
from apps.customers.models import ImportFault, ImportJob, ImportStatus
from apps.customers.models.imports import OPEN
from apps.customers.services import MOST_TAGS

QUIET = timedelta(seconds=15)
"""Without progress for so long, the page says that no worker is there."""
FORM_OVERHEAD = 64 * 1024


class FieldChoice(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()


class JobSerializer(serializers.ModelSerializer):
    """``mapping`` has a field for each column, in order; an empty one leaves the column out."""

    created_by = serializers.SerializerMethodField()
    mapping = serializers.ListField(
        child=serializers.ChoiceField(["", *columns.FIELDS], allow_blank=True), max_length=limits.MOST_COLUMNS
    )
    tags = serializers.ListField(child=serializers.CharField(max_length=40), max_length=MOST_TAGS, required=False)
    encoding = serializers.ChoiceField([*KNOWN, ""], required=False, allow_blank=True)
    delimiter = serializers.ChoiceField([*DELIMITERS, ""], required=False, allow_blank=True)
    reason = serializers.SerializerMethodField(help_text="Why it failed, in words.")
    waiting = serializers.SerializerMethodField(help_text="It should go on, but no worker takes it just now.")
    fields_to_choose = serializers.SerializerMethodField(help_text="What a column can be.")

    class Meta:
        model = ImportJob
        fields = (
            "id", "file_name", "size_bytes", "kind", "encoding", "delimiter", "has_headings", "headers", "mapping",
            "tags", "update_existing", "status", "reason", "waiting", "rows_total", "counted", "rows_done",
            "created_count", "updated_count", "skipped_count", "failed_count", "created_by", "created_at", "started_at",
            "finished_at", "fields_to_choose",
        )  # fmt: skip
        read_only_fields = (
            "file_name", "size_bytes", "kind", "headers", "status", "rows_total", "counted", "rows_done",
            "created_count", "updated_count", "skipped_count", "failed_count", "created_at", "started_at",
            "finished_at",
        )  # fmt: skip

    def get_created_by(self, job: ImportJob) -> str:
        return job.created_by.display_name if job.created_by is not None else ""

    def get_reason(self, job: ImportJob) -> str:
        return words.file_refusal(job.reason, job.detail) if job.reason else ""

    def get_waiting(self, job: ImportJob) -> bool:
        return job.status in OPEN and job.seen_at is not None and timezone.now() - job.seen_at > QUIET

    def get_fields_to_choose(self, job: ImportJob) -> list[dict[str, str]]:
        return [{"id": name, "name": str(label)} for name, label in columns.FIELDS.items()]

    def validate_tags(self, names: list[str]) -> list[str]:
        return [name for text in names if (name := cleaning.line(text))]


class UploadSerializer(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True, max_length=255)


class FaultSerializer(serializers.ModelSerializer):
    reason = serializers.SerializerMethodField()

    class Meta:
        model = ImportFault
        fields = ("row", "column", "value", "code", "reason")

    def get_reason(self, fault: ImportFault) -> str:
        return words.row_fault(fault.code, fault.detail)


class PreviewSerializer(serializers.Serializer):
    row = serializers.IntegerField()
    cells = serializers.ListField(child=serializers.CharField(allow_blank=True))
    result = serializers.ChoiceField(["created", "updated", "skipped", "refused"])
    faults = serializers.SerializerMethodField()

    def get_faults(self, row: Any) -> list[dict[str, str]]:
        return [{"column": item.column, "reason": words.row_fault(item.code, item.detail)} for item in row.faults]


def refused(error: FileRefused) -> Problem:
    status = 413 if error.code in ("too_large", "too_large_unpacked") else 422
    return Problem(error.code, words.file_refusal(error.code, error.detail), status=status)


FILE_PROBLEMS = {422: problem("empty, not_text, broken_xlsx, old_excel, unknown_encoding …"), 413: problem("too_large")}


@extend_schema(tags=["customers"])
class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, PermittedView):
    """Send a file, look at its ``preview``, correct ``mapping``, ``start``; then ask for the row until it is over."""

    queryset = ImportJob.objects.select_related("created_by")
    serializer_class = JobSerializer
    lookup_value_regex = "[0-9]{1,18}"
    scope = Scope.CUSTOMERS_WRITE
    keeps_answers = False
    ordering = ("-created_at", "-pk")
    parser_classes = (StrictJSONParser, MultiPartParser)

    def check_permissions(self, request: Request) -> None:
        self.codes_by_action = dict.fromkeys([self.action or ""], "customers.import")
        super().check_permissions(request)

    @extend_schema(request={"multipart/form-data": UploadSerializer}, responses={201: JobSerializer, **FILE_PROBLEMS})
    def create(self, request: Request) -> Response:
        """A CSV or xlsx file as ``file`` of a form. Nothing is imported before ``start``."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > limits.MOST_BYTES + FORM_OVERHEAD:
            raise refused(FileRefused("too_large", most_mb=limits.MOST_BYTES // 1024**2))
        serializer = UploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        file = serializer.validated_data["file"]
        assert isinstance(request.user, User)
        try:
            job = upload.receive(self.tenant.pk, request.user, file.name, file, file.size)
        except FileRefused as error:
            raise refused(error) from None
        return Response(self.get_serializer(job).data, status=201)

    @extend_schema(responses={200: JobSerializer, 409: problem("not_draft"), **FILE_PROBLEMS})
    def partial_update(self, request: Request, pk: str = "") -> Response:
        """Before the start: what the columns are, and how the file is read. Read anew, columns are guessed anew."""
        with transaction.atomic():  # somebody may start it meanwhile: what we write must not undo that
            job = self._draft(locked=True)
            serializer = self.get_serializer(job, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            self._change(job, serializer.validated_data)
        return Response(self.get_serializer(job).data)

    def _change(self, job: ImportJob, data: dict[str, Any]) -> None:
        """Raises ``Problem``."""
        how = {name: data[name] for name in ("encoding", "delimiter", "has_headings") if name in data}
        try:
            if any(getattr(job, name) != value for name, value in how.items()):
                upload.read_again(
                    job,
                    encoding_name=how.get("encoding", ""),
                    delimiter=how.get("delimiter", ""),
                    has_headings=how.get("has_headings"),
                )
        except FileRefused as error:
            raise refused(error) from None
        for name in ("mapping", "tags", "update_existing"):
            if name in data:
                setattr(job, name, data[name])
        if "mapping" in data and len(job.mapping) != len(job.headers):
            raise refused(FileRefused("bad_mapping"))
        job.save()

    @extend_schema(responses={200: PreviewSerializer(many=True), 409: problem("not_draft"), **FILE_PROBLEMS})
    @action(detail=True, pagination_class=None)
    def preview(self, request: Request, pk: str = "") -> Response:
        """What the first hundred rows would do. Nothing is written."""
        try:
            return Response(PreviewSerializer(preview(self._draft()), many=True).data)
        except FileRefused as error:
            raise refused(error) from None

    @extend_schema(request=None, responses={202: JobSerializer, 409: problem("not_draft"), **FILE_PROBLEMS})
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str = "") -> Response:
        job = self._draft()
        trouble = columns.problem(job.mapping, len(job.headers))
        if trouble:
            raise refused(FileRefused(trouble))
        if not running.enqueue(job):
            raise self._started()
        job.refresh_from_db()
        return Response(self.get_serializer(job).data, status=202)

    @extend_schema(request=None, responses={200: JobSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str = "") -> Response:
        """What was imported until now stays. One that is over is left as it is."""
        job = self.get_object()
        running.cancel(job)
        job.refresh_from_db()
        return Response(self.get_serializer(job).data)

    @extend_schema(responses=FaultSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def faults(self, request: Request, pk: str = "") -> Response:
        """The first two hundred; ``report`` has all."""
        return Response(FaultSerializer(self.get_object().faults.all()[:200], many=True).data)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True, pagination_class=None)
    def report(self, request: Request, pk: str = "") -> HttpResponseBase:
        """Every row that was refused, and why, as CSV in the asker's language."""
        job = self.get_object()

        def rows() -> Any:
            yield (_("row"), _("column"), _("value"), _("reason"))
            for fault in job.faults.all().iterator(chunk_size=1000):
                yield (fault.row, fault.column, fault.value, words.row_fault(fault.code, fault.detail))

        # Put into words now: by the time that it is sent, the request's language is forgotten.
        response = StreamingHttpResponse(csv_lines(list(rows())), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="import-{job.pk}-errors.csv"'
        return response

    def _draft(self, *, locked: bool = False) -> ImportJob:
        """``locked``: as it is now, kept from others until the transaction ends."""
        job: ImportJob = self.get_object()
        if locked:
            job = ImportJob.objects.select_for_update().get(pk=job.pk)
        if job.status != ImportStatus.DRAFT:
            raise self._started()
        return job

    @staticmethod
    def _started() -> Problem:
        return Problem("not_draft", words.file_refusal("not_draft", {}), status=409)
