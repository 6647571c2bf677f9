"""The tree of results: three levels, no circle, and only its leaves are results."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from apps.accounts.models import Tenant
from apps.agents.models import Disposition
from apps.telephony.center_config import compile_center_config

pytestmark = pytest.mark.django_db


def row(code: str, parent: Disposition | None = None) -> Disposition:
    tenant, _ = Tenant.objects.get_or_create(code="acme", defaults={"name": "Acme"})
    made = Disposition(tenant=tenant, code=code, name=code, parent=parent)
    made.full_clean()
    made.save()
    return made


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def test_the_fourth_level_and_a_circle_are_refused() -> None:
    top = row("top")
    middle = row("middle", top)
    low = row("low", middle)
    with pytest.raises(ValidationError, match="three levels"):
        row("lowest", low)
    top.parent = low
    with pytest.raises(ValidationError, match="no circle"):
        top.full_clean()
    other = row("other")
    top.parent = other
    with pytest.raises(ValidationError, match="more than three"):
        top.full_clean()


def test_headings_are_no_results() -> None:
    row("plain")
    row("low", row("middle", row("top")))
    [tenant] = compile_center_config(1).tenants.values()
    assert set(tenant.dispositions) == {"plain", "low"}
