"""Pages by cursor: opaque, signed, and good for the list that gave it. Nothing is counted and nothing skipped."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from apps.api.problems import Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class SignedCursorPagination(CursorPagination):
    """``?limit=`` and ``?cursor=``. The view's ``ordering`` decides; its first field must never be null."""

    page_size_query_param = "limit"
    page_size_query_description = f"Rows in one answer, 1 to {MAX_LIMIT}; {DEFAULT_LIMIT} when left out."
    cursor_query_description = "Where to go on: from `next` or `previous` of an answer of the same list. Opaque."
    max_page_size = MAX_LIMIT

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        ordering = getattr(view, "ordering", "-pk")
        found = (ordering,) if isinstance(ordering, str) else tuple(ordering)
        self._salt = f"cursor:{request.path}:{','.join(found)}"
        return found

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get(self.page_size_query_param)
        if text is None:
            return DEFAULT_LIMIT
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
            detail = _("limit must be a whole number from 1 to %(most)s.") % {"most": MAX_LIMIT}
            raise Problem("invalid", detail, errors=[{"pointer": "limit", "code": "invalid", "detail": detail}])
        return int(text)

    def encode_cursor(self, cursor: Cursor) -> str:
        sealed = signing.dumps([cursor.offset, int(cursor.reverse), cursor.position], salt=self._salt)
        return str(replace_query_param(self.base_url, self.cursor_query_param, sealed))

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Raises ``Problem`` for a cursor that we did not make, or made for another list."""
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        try:
            offset, reverse, position = signing.loads(text, salt=self._salt)
        except (signing.BadSignature, ValueError):
            raise Problem("bad_cursor", _("Take the cursor from the answer before, of the same list.")) from None
        return Cursor(offset=offset, reverse=bool(reverse), position=position)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor, limit = super().get_schema_operation_parameters(view)
        limit["schema"] = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [cursor, limit]
