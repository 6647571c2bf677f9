"""Generated requests to every operation of the OpenAPI document, against the whole application in process.

No 500, no answer that the document does not name, and every answer of the shape it says.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.accounts.models import Tenant
from apps.agents.models import Agent
from apps.api.scopes import Scope
from apps.calls.services import record_facts
from apps.customers.imports import upload
from apps.customers.models import Customer, ImportJob
from apps.queues.models import Queue
from apps.webhooks.models import Endpoint
from tests.apps.api.conftest import program_of
from tests.apps.api.test_resources import _of
from tests.apps.facts_of_calls import served_call, stored

EXAMPLES = 6


schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", get_wsgi_application())


@pytest.fixture(autouse=True)
def _connection_stays() -> Iterator[None]:
    """It is the test's: a request must not close it. Django's own test client takes care of that too."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def authorization(story: Tenant) -> dict[str, str]:
    """A token that may do everything, and some rows to be found."""
    record_facts(stored(_of(story.pk, served_call("c1"))))
    Endpoint.objects.create(tenant=story, url="https://192.0.2.1/", events=["call.ended"])
    upload.receive(story.pk, None, "a.csv", io.BytesIO(b"name,phone\nA,13955501100\n"), 26)
    token = program_of("admin", *[str(scope) for scope in Scope], rate_per_min=1_000_000)
    return {"Authorization": f"Bearer {token.secret}", "Accept": "application/json"}


def test_the_document_is_valid_and_tells_every_error(db: None) -> None:
    """OpenAPI 3.1 by its own schema, made without a warning; what any operation may answer is at each of them."""
    reset_generator_stats()
    document = SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS, "drf-spectacular guessed somewhere"
    validate_schema(document)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            wanted = {"400", "401", "403", "429", "503"} | ({"404"} if "{" in path else set())
            wanted |= {"409", "413", "415", "422"} if method == "post" else set()
            assert wanted <= operation["responses"].keys(), (method, path)
            for status, answer in operation["responses"].items():
                if status[0] in "45" and answer.get("content"):
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests(case: Any, authorization: dict[str, str]) -> None:
    _aim(case)
    case.call_and_validate(
        headers=authorization,
        checks=[
            not_a_server_error_of_ours,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
            response_headers_conformance,
        ],
    )


def not_a_server_error_of_ours(ctx: Any, response: Any, case: Any) -> None:
    """503 is documented and means the engine, which is away here."""
    if response.status_code != 503:
        not_a_server_error(ctx, response, case)


def _aim(case: Any) -> None:
    """Ids that exist, for every other request: generated ones never would."""
    if not case.path_parameters or len(str(case.path_parameters)) % 2:
        return
    known = {
        "/agents/": Agent.objects.first(), "/queues/": Queue.objects.first(), "/webhooks/": Endpoint.objects.first(),
        "/customers/imports/": ImportJob.objects.first(), "/customers/": Customer.objects.first(),
    }  # fmt: skip
    row = next((row for part, row in known.items() if part in case.path), None)
    name = "webhook" if "webhook" in case.path_parameters else "id"
    if row is not None:
        case.path_parameters[name] = str(row.pk)
    elif "/calls/" in case.path:
        case.path_parameters["id"] = "c1"
