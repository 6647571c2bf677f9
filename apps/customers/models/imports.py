"""Imports of customers from a file: the job, the file itself in pieces, and what was wrong with which row.

The file lives in the database until the job is over: the web and the worker need no directory in common, a backup has
it, and a job outlives both of them.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import person
from apps.accounts.models import TenantOwned


class ImportStatus(models.TextChoices):
    DRAFT = "draft", _("columns to be confirmed")
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


OPEN = (ImportStatus.QUEUED, ImportStatus.RUNNING)


class ImportJob(TenantOwned):
    """``rows_done`` moves in the same transaction as the rows themselves: whoever goes on, goes on from there."""

    created_by = person(_("by"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    file_name = models.CharField(_("file"), max_length=200)
    size_bytes = models.BigIntegerField(_("size, bytes"))
    kind = models.CharField(_("kind"), max_length=4)  # csv, xlsx
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    delimiter = models.CharField(_("delimiter"), max_length=1, blank=True)
    has_headings = models.BooleanField(_("first row names the columns"), default=True)
    headers: models.JSONField[list[str]] = models.JSONField(_("headers"), default=list)
    mapping: models.JSONField[list[str]] = models.JSONField(
        _("columns"), default=list, help_text=_("The field of each column, in their order; empty: left out.")
    )
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("tags for all"))
    update_existing = models.BooleanField(_("update those on file"), default=True)

    status = models.CharField(_("status"), max_length=9, choices=ImportStatus.choices, default=ImportStatus.DRAFT)
    reason = models.CharField(_("reason"), max_length=40, blank=True, help_text=_("Why it failed, as a code."))
    detail: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    rows_total = models.PositiveIntegerField(_("rows"), default=0)
    counted = models.BooleanField(
        _("counted to the end"),
        default=True,
        help_text=_("Of a large file the worker counts what is below the first rows."),
    )
    rows_done = models.PositiveIntegerField(_("rows done"), default=0)
    created_count = models.PositiveIntegerField(_("created"), default=0)
    updated_count = models.PositiveIntegerField(_("updated"), default=0)
    skipped_count = models.PositiveIntegerField(_("left as they were"), default=0)
    failed_count = models.PositiveIntegerField(_("refused"), default=0)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    seen_at = models.DateTimeField(_("last progress"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["seen_at"], condition=models.Q(status__in=OPEN), name="import_open")]

    def __str__(self) -> str:
        return self.file_name


class ImportChunk(models.Model):
    """A piece of the file, in order."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="chunks")
    sequence = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["job", "sequence"]
        constraints = [models.UniqueConstraint("job", "sequence", name="import_chunk_once")]


class ImportFault(models.Model):
    """Why a row was not taken. ``code`` is put into words when somebody reads it, in their language."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="faults")
    row = models.PositiveIntegerField(_("row"), help_text=_("As a spreadsheet counts them."))
    column = models.CharField(_("column"), max_length=100, blank=True)
    value = models.CharField(_("value"), max_length=200, blank=True)
    code = models.CharField(_("reason"), max_length=40)
    detail: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("import fault")
        verbose_name_plural = _("import faults")
        ordering = ["row", "pk"]
        indexes = [models.Index(fields=["job", "row"])]

    def __str__(self) -> str:
        return f"{self.row} {self.code}"
