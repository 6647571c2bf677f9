"""Publishing a flow: checked once, then never changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from apps.accounts.models import User
from apps.core.ivr.flow import lint
from apps.ivr.models import Flow, FlowVersion
from apps.queues.models import Queue
from apps.queues.refusing import Unsound, kept_sound
from apps.telephony.models import Calendar, Prompt
from apps.telephony.services import config_changed

prompt_name = re.compile(r"[a-z][a-z0-9_]{0,39}")


class FlowRefused(ValidationError):
    """The draft has errors; one message each, naming node, field and fix."""


def canonical(document: Mapping[str, Any]) -> str:
    """The document as the text that is hashed: without its layout (``ui``), the same for equal content."""
    content = {key: value for key, value in document.items() if key != "ui"}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256_of(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(document).encode()).hexdigest()


@transaction.atomic
def publish(flow: Flow, *, author: User | None = None, comment: str = "") -> FlowVersion:
    """Make the draft the version that new callers get; calls under way keep theirs.

    Returns the version in force; a draft equal to it publishes nothing new. Raises ``FlowRefused``.
    """
    flow.refresh_from_db(from_queryset=Flow.objects.select_for_update())
    refuse_errors(flow)
    digest = sha256_of(flow.draft)
    if flow.published is not None and flow.published.sha256 == digest:
        return flow.published
    try:
        with kept_sound(flow.tenant_id):
            return _put_in_force(flow, digest, author, comment)
    except Unsound as refused:
        flow.refresh_from_db(fields=["published"])
        raise FlowRefused(refused.messages) from refused


def _put_in_force(flow: Flow, digest: str, author: User | None, comment: str) -> FlowVersion:
    """For everybody who calls from now on."""
    latest = flow.versions.aggregate(latest=Max("number"))["latest"] or 0
    version = FlowVersion.objects.create(
        tenant_id=flow.tenant_id,
        flow=flow,
        number=latest + 1,
        sha256=digest,
        document=flow.draft,
        author=author,
        comment=comment,
    )
    flow.published = version
    flow.save(update_fields=["published"])
    _keep_prompts(flow)
    config_changed()
    return version


def refuse_errors(flow: Flow) -> None:
    """Raises ``FlowRefused`` with every problem of the draft."""
    problems = list(lint_draft(flow))
    if problems:
        raise FlowRefused(problems)


def lint_draft(flow: Flow) -> Iterable[str]:
    """The draft's problems as text, the empty draft's included."""
    mine = {"tenant_id": flow.tenant_id}
    found = lint(
        flow.draft,
        queues=frozenset(Queue.objects.filter(**mine).values_list("code", flat=True)),
        calendars=frozenset(Calendar.objects.filter(**mine).values_list("code", flat=True)),
        prompts=frozenset(
            Prompt.objects.filter(**mine, code__regex=r"^[^.]+$")
            .exclude(text_zh="")
            .exclude(text_en="")
            .values_list("code", flat=True)
        ),
    )
    for problem in found:
        place = " · ".join(part for part in (problem.node, problem.field) if part)
        yield f"{problem.code} {place}: {problem.message}"
    if not found:
        yield from _prompt_problems(flow.draft)


def _prompt_problems(document: Mapping[str, Any]) -> Iterable[str]:
    """Also of prompts that no node names: each becomes a row."""
    for name in document.get("prompts") or {}:
        if not prompt_name.fullmatch(name):
            yield f"E00 prompts · {name}: a prompt's name is a-z, 0-9 and _, up to 40 characters"


def _keep_prompts(flow: Flow) -> None:
    """The texts of the document become prompts to render. One that is no longer used may still be playing: it stays."""
    for name, texts in (flow.draft.get("prompts") or {}).items():
        Prompt.objects.update_or_create(
            tenant_id=flow.tenant_id,
            code=f"{flow.code}.{name}",
            defaults={"text_zh": texts.get("zh", ""), "text_en": texts.get("en", "")},
        )
