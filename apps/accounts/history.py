"""Base of rows that are written from the engine's facts, whatever has become of the configuration since."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class LenientKey(models.ForeignKey[Any, Any]):
    """A reference that may point at a row that no longer exists. Read it with ``select_related``."""

    def __init__(self, to: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.update(
            on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name=kwargs.get("related_name", "+")
        )
        super().__init__(to, **kwargs)


class History(models.Model):
    tenant = LenientKey("accounts.Tenant", verbose_name=_("tenant"), db_index=False)

    class Meta:
        abstract = True
