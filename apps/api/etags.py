"""``ETag`` and ``If-Match`` (RFC 9110 section 13) for rows that two people may edit at once."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.problems import Problem


def etag_of(row: models.Model) -> str:
    """Changes with every stored field of the row."""
    values = [(field.attname, str(getattr(row, field.attname))) for field in row._meta.concrete_fields]
    return '"' + hashlib.sha256(repr(values).encode()).hexdigest()[:32] + '"'


def matches(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in [item.strip().removeprefix("W/") for item in header.split(",")]


def require_match(request: Request, row: models.Model) -> None:
    """Raises 412 when the asker saw another version than this. Without ``If-Match`` the last one to write wins."""
    header = request.headers.get("If-Match")
    if header is not None and not matches(header, etag_of(row)):
        detail = _("This was changed by somebody else meanwhile: read it again.")
        raise Problem("changed_meanwhile", detail, status=412)


class RetrieveWithEtag(mixins.RetrieveModelMixin):
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        etag = etag_of(row)
        asked = request.headers.get("If-None-Match")
        if asked is not None and matches(asked, etag):
            return Response(status=304, headers={"ETag": etag})
        return Response(self.get_serializer(row).data, headers={"ETag": etag})


class ChangeWithEtag(mixins.UpdateModelMixin, mixins.DestroyModelMixin):
    """The row is locked between the comparison and the change."""

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            row = self.locked_object()
            require_match(request, row)
            serializer = self.get_serializer(row, data=request.data, partial=kwargs.get("partial", False))
            serializer.is_valid(raise_exception=True)
            self.perform_update(serializer)
            row.refresh_from_db()
        return Response(self.get_serializer(row).data, headers={"ETag": etag_of(row)})

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            row = self.locked_object()
            require_match(request, row)
            self.perform_destroy(row)
        return Response(status=204)

    def locked_object(self) -> Any:
        row = self.get_object()
        type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
        row.refresh_from_db()
        return row
