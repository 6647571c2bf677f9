"""Lists brought in from a spreadsheet and taken out into one, in the admin: tried first, all of it or nothing.

Rows are known by what people call them (a code, an extension), within the tenant of whoever brings them. A superuser,
who belongs to none, may take lists out and not bring any in.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import tablib
from charset_normalizer import from_bytes
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _
from import_export import resources, widgets
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV, XLSX
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from apps.accounts.models import Coded, Tenant
from apps.accounts.tenant_admin import administers, of_tenant, own_tenant
from apps.customers import words
from apps.customers.imports import tables
from apps.customers.imports.limits import FileRefused
from apps.queues.refusing import problems_of, refuse_new
from apps.queues.soundness import Flaw
from apps.telephony.services import config_changed

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 5_000

_Row = TypeVar("_Row", bound=Coded)


class AnyCsv(CSV):  # type: ignore[misc]  # import-export has no types
    """CSV as Excel writes it anywhere: UTF-8 with or without a mark, UTF-16, or GB18030 from a Chinese one."""

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> tablib.Dataset:
        return super().create_dataset(decoded(in_stream), **kwargs)

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        return str(super().export_data(dataset, **kwargs)).encode("utf-8-sig")


class AnyXlsx(XLSX):  # type: ignore[misc]
    """Read as customers' files are, a row at a time. Read as import-export does, a workbook of two kilobytes whose only
    cell is the last of a million rows takes all the memory there is."""

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Raises ``ValidationError``. Texts, whatever the cells are; rows without one are left out."""
        try:
            rows = tables.rows_of(io.BytesIO(in_stream), tables.Shape("xlsx"))
            written = [cells for _number, cells in itertools.islice(rows, MOST_ROWS + 2) if any(cells)]
            more = any(any(cells) for _number, cells in rows)
        except FileRefused as refused:
            raise ValidationError(words.file_refusal(refused.code, refused.detail)) from refused
        if more or len(written) > MOST_ROWS + 1:
            raise ValidationError(_("At most %(most)s rows at a time.") % {"most": MOST_ROWS})
        if not written:
            raise ValidationError(words.file_refusal("empty", {}))
        headers, *below = written
        width = len(headers)
        return tablib.Dataset(*((*cells, *[""] * width)[:width] for cells in below), headers=headers)


def decoded(data: bytes) -> str:
    """Raises ``ValidationError`` where no encoding of ours fits."""
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    found = from_bytes(data[:65_536]).best()
    if found is None:
        raise ValidationError(_("The file is not text in UTF-8 or GB18030."))
    return data.decode(found.encoding, "replace")


class OwnForeignKey(widgets.ForeignKeyWidget):  # type: ignore[misc]
    """Finds only what belongs to the tenant of who asks, or to all tenants."""

    tenant: Tenant | None = None

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> models.QuerySet[Any]:
        return of_tenant(super().get_queryset(value, row, *args, **kwargs), self.tenant)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        try:
            return super().clean(value, row, **kwargs)
        except self.model.DoesNotExist as error:
            names = {"kind": self.model._meta.verbose_name, "value": value}
            raise ValueError(_("There is no %(kind)s “%(value)s”.") % names) from error


class TenantResource(resources.ModelResource):  # type: ignore[misc]
    """Base of every list. Made with the tenant of who asks; None for a superuser, who only exports.

    ``tolerated`` are flaws that a list may bring because another list mends them.
    """

    tolerated: frozenset[Flaw] = frozenset()
    with_rows: Mapping[str, models.QuerySet[Any]] = {}
    """Rows of each row that an export tells: by their relation's name, in order. See ``rows_of``."""

    def __init__(self, tenant: Tenant | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant = tenant
        for field in self.fields.values():
            if isinstance(field.widget, OwnForeignKey):
                field.widget.tenant = tenant

    class Meta:
        clean_model_instances = True
        use_transactions = True
        skip_unchanged = True
        report_skipped = True
        exclude = ("id", "tenant")

    def get_queryset(self) -> models.QuerySet[Any]:
        return of_tenant(super().get_queryset(), self.tenant)

    def filter_export(self, queryset: models.QuerySet[Any], **kwargs: Any) -> models.QuerySet[Any]:
        """All that the cells name with a few queries, however long the list is."""
        named = [field.attribute for field in self.fields.values() if isinstance(field.widget, OwnForeignKey)]
        along = [models.Prefetch(name, rows, to_attr=f"told_{name}") for name, rows in self.with_rows.items()]
        rows: models.QuerySet[Any] = super().filter_export(queryset, **kwargs)
        return rows.select_related(*named).prefetch_related(*along)

    def rows_of(self, instance: Any, name: str) -> Iterable[Any]:
        """Those of ``with_rows``; while a list is brought in, as they are now."""
        if instance.pk is None:
            return []
        told: Iterable[Any] | None = getattr(instance, f"told_{name}", None)
        return self.with_rows[name].filter(**self._owned_by(instance, name)) if told is None else told

    @staticmethod
    def _owned_by(instance: Any, name: str) -> dict[str, Any]:
        return {instance._meta.get_field(name).field.name: instance}

    def by_code(self, model: type[_Row], codes: Iterable[str], column: str) -> dict[str, _Row]:
        """The tenant's rows that a cell names; one that is not there is a fault of ``column``."""
        known = {row.code: row for row in model._default_manager.filter(tenant=self.tenant, code__in=codes)}
        if gone := ", ".join(sorted(set(codes) - known.keys())):
            said = _("There is no %(kind)s “%(value)s”.") % {"kind": model._meta.verbose_name, "value": gone}
            raise ValidationError({column: said})
        return known

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        if self.tenant is None:
            raise ValidationError(_("Sign in as an administrator of the tenant to bring lists in."))
        if len(dataset) > MOST_ROWS:
            raise ValidationError(_("At most %(most)s rows at a time.") % {"most": MOST_ROWS})
        dataset.headers = [str(header or "").strip() for header in dataset.headers or []]
        known = {field.column_name for field in self.get_import_fields()}
        if strange := [header for header in dataset.headers if header and header not in known]:
            names = {"strange": ", ".join(strange[:5]), "known": ", ".join(sorted(known))}
            raise ValidationError(_("Unknown columns: %(strange)s. Known are: %(known)s.") % names)
        self.problems_before = problems_of(self.tenant.pk)
        super().before_import(dataset, **kwargs)

    def init_instance(self, row: Any = None) -> Any:
        row = super().init_instance(row)
        row.tenant = self.tenant
        return row

    def after_import(self, dataset: tablib.Dataset, result: Any, **kwargs: Any) -> None:
        super().after_import(dataset, result, **kwargs)
        if result.has_errors() or result.has_validation_errors() or self.tenant is None:
            return
        if not kwargs.get("dry_run"):
            config_changed()
        refuse_new(self.problems_before, self.tenant.pk, tolerated=self.tolerated)


class UploadForm(ImportForm):  # type: ignore[misc]
    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than %(most)s MB.") % {"most": MOST_BYTES >> 20})
        return file


class ExchangeAdmin(ImportExportMixin):  # type: ignore[misc]
    """Before ``ConfigAdmin`` in the bases of an admin page; set ``resource_classes``."""

    import_form_class = UploadForm
    export_form_class = ExportForm
    import_formats = export_formats = (AnyCsv, AnyXlsx)
    import_error_display = ("message", "row")

    def has_import_permission(self, request: HttpRequest) -> bool:
        return administers(request) and own_tenant(request) is not None

    def has_export_permission(self, request: HttpRequest) -> bool:
        return administers(request)

    def get_resource_kwargs(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_resource_kwargs(request, *args, **kwargs), "tenant": own_tenant(request)}
