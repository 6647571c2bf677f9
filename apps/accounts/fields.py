"""Kinds of columns that many models have."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.fields import NOT_PROVIDED


def whole_number(
    name: Any, least: int, most: int, *, default: Any = NOT_PROVIDED, help_text: Any = ""
) -> models.PositiveSmallIntegerField[int | str, int]:
    """From ``least`` to ``most``, both included; at most 32767."""
    return models.PositiveSmallIntegerField(name, default=default, validators=_within(least, most), help_text=help_text)


def whole_number_or_none(
    name: Any, least: int, most: int, *, default: int | None = None, help_text: Any = ""
) -> models.PositiveSmallIntegerField[int | str | None, int | None]:
    """As ``whole_number``, and may be left empty."""
    return models.PositiveSmallIntegerField(
        name,
        null=True,
        blank=True,
        default=NOT_PROVIDED if default is None else default,
        validators=_within(least, most),
        help_text=help_text,
    )


def _within(least: int, most: int) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(least), MaxValueValidator(most)] if least else [MaxValueValidator(most)]


def person(name: Any, *, editable: bool = True) -> models.ForeignKey[Any, Any]:
    """Who did it. The row outlives their account."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=editable,
        verbose_name=name,
        related_name="+",
    )
