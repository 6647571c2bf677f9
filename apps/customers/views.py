"""The page of customers: its script does the rest over REST. Addresses below it are the script's own."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import User
from apps.accounts.permissions import can, permission_required
from apps.customers.imports import limits
from apps.customers.models.people import Level, NumberLabel

MAY = {
    "edit": "customers.edit",
    "import": "customers.import",
    "export": "customers.export",
    "delete": "customers.delete",
    "merge": "customers.merge",
    "calls": "calls.view",
}


@permission_required("customers.view")
def customers(request: HttpRequest, rest: int = 0) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    page = {
        "may": {name: can(user, code) for name, code in MAY.items()},
        "levels": [{"id": value, "name": str(label)} for value, label in Level.choices],
        "labels": [{"id": value, "name": str(label)} for value, label in NumberLabel.choices],
        "languages": [{"id": code, "name": name} for code, name in settings.LANGUAGES],
        "most_mb": limits.MOST_BYTES // 1024**2,
        "most_rows": limits.MOST_ROWS,
    }
    return render(request, "customers/customers.html", {"page": page})
