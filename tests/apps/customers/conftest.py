"""Two tenants with people of every role, and customers of the first."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Role, Tenant, User
from apps.customers.models import Customer
from apps.customers.services import NumberData, create_customer

V1 = "/api/v1/customers"


class Asker:
    """Somebody signed in, who asks the interface."""

    def __init__(self, username: str, language: str = "en") -> None:
        self.client = Client(headers={"accept-language": language}, raise_request_exception=False)
        self.client.force_login(User.objects.get(username=username))

    def ask(self, method: str, path: str = "", data: Any = None, **headers: str) -> Any:
        body = b"" if data is None else json.dumps(data).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, V1 + path, body, "application/json", headers=named)

    def get(self, path: str = "") -> Any:
        return self.ask("GET", path)

    def upload(self, data: bytes, name: str = "客户.csv") -> Any:
        return self.client.post(f"{V1}/imports", {"file": SimpleUploadedFile(name, data)})


@pytest.fixture
def centre(db: None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for code in ("a", "b"):
        tenant = made[code] = Tenant.objects.create(code=code, name=code)
        for role in Role:
            User.objects.create(username=f"{role}-{code}", tenant=tenant, role=role)
    wang = NumberData(number="+8613955501100", label="mobile")
    home = NumberData(number="+862155550100", label="home")
    a = made["a"].pk
    fields = {"name": "王芳", "company": "杭州远山贸易", "external_id": "C1", "level": "vip"}
    made["wang"] = create_customer(a, fields, [wang, home], ["续费"])
    made["li"] = create_customer(a, {"name": "李伟"}, [home])
    return made


@pytest.fixture
def ask(centre: dict[str, Any]) -> Callable[..., Asker]:
    return Asker


def names(rows: Any) -> list[str]:
    return [row["name"] for row in rows.json()["results"]]


__all__ = ["V1", "Asker", "Customer", "names"]
