"""Publishing: checked, numbered, never changed, and idempotent."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Tenant
from apps.ivr.models import Flow
from apps.ivr.services import FlowRefused, publish, sha256_of
from apps.queues.models import Queue
from apps.telephony.center_config import current_version
from apps.telephony.models import Prompt
from tests.apps.conftest import signed_in


@pytest.fixture
def flow(story: Tenant) -> Flow:
    return Flow.objects.get(code="hotline")


def test_the_layout_is_no_part_of_a_version(flow: Flow) -> None:
    first, before = flow.published, current_version()
    flow.draft["ui"] = {"ans": [1, 2]}
    flow.save()
    assert publish(flow) == first
    assert current_version() == before


def test_a_changed_draft_is_a_new_version_and_the_old_one_stays(flow: Flow) -> None:
    old = flow.published
    assert old is not None
    flow.draft["nodes"]["main"]["retries"] = 1
    flow.save()
    new = publish(flow, comment="fewer tries")
    assert (new.number, old.number) == (2, 1)
    old.refresh_from_db()
    assert old.document["nodes"]["main"]["retries"] == 2
    assert old.sha256 == sha256_of(old.document) != new.sha256


def test_an_old_document_published_again_is_a_new_number_with_the_old_hash(flow: Flow) -> None:
    old = flow.published
    assert old is not None
    flow.draft["nodes"]["main"]["retries"] = 1
    flow.save()
    publish(flow)
    flow.draft = old.document
    flow.save()
    assert (publish(flow).number, publish(flow).sha256) == (3, old.sha256)


def test_texts_of_the_document_become_prompts_to_render(flow: Flow) -> None:
    Prompt.objects.filter(code="hotline.bye").update(sound_zh="old.wav")
    flow.draft["prompts"]["bye"]["zh"] = "再会。"
    flow.save()
    publish(flow)
    prompt = Prompt.objects.get(code="hotline.bye")
    # The old sound plays until the new one is rendered: an outdated word is better than silence.
    assert (prompt.text_zh, prompt.sound_zh) == ("再会。", "old.wav")


def test_a_queue_of_another_tenant_is_no_queue(flow: Flow) -> None:
    other = Tenant.objects.create(code="other", name="Other")
    Queue.objects.create(tenant=other, code="theirs", name="Theirs")
    flow.draft["nodes"]["sales"]["queue"] = "theirs"
    flow.save()
    with pytest.raises(FlowRefused) as refused:
        publish(flow)
    assert any("E14" in message and "sales" in message for message in refused.value.messages)
    assert Flow.objects.get(pk=flow.pk).published == flow.published


BROKEN = [
    ["nodes", "main", "type", ["menu"]],
    ["nodes", "main", "keys", "1", {"to": "x"}],
    ["handlers", 7],
    ["start", ["main"]],
    ["prompts", []],
    ["prompts", "bye", []],
    ["prompts", "nobody_says_this", "zh", 5],
    ["prompts", "Not A Name!", {"zh": "x", "en": "x"}],
]


@pytest.mark.parametrize("place", BROKEN, ids=str)
def test_a_draft_of_any_shape_can_be_opened_and_is_refused_in_words(flow: Flow, place: list[Any]) -> None:
    """Who wrote it by hand must be able to mend it."""
    part: Any = flow.draft
    for name in place[:-2]:
        part = part.setdefault(name, {})
    part[place[-2]] = place[-1]
    flow.save()
    page = signed_in("admin").get(f"/admin/ivr/flow/{flow.pk}/change/")
    assert page.status_code == 200 and "E0" in page.content.decode()
    with pytest.raises(FlowRefused):
        publish(flow)


@pytest.mark.parametrize("text", ['"\\u0000"', '"\\ud800"', "NaN", "1e999", "[" * 3000 + "]" * 3000])
def test_what_cannot_be_stored_is_no_json(flow: Flow, text: str) -> None:
    draft = f'{{"nodes": {{"main": {text}}}}}'
    data = {"tenant": flow.tenant_id, "name": flow.name, "code": flow.code, "draft": draft}
    page = signed_in("admin").post(f"/admin/ivr/flow/{flow.pk}/change/", data)
    assert page.status_code == 200 and "Enter a valid JSON" in page.content.decode()


def test_the_longest_names_fit_together(flow: Flow) -> None:
    flow.code, name = "f" * 40, "p" * 40
    flow.draft["prompts"][name] = {"zh": "你好", "en": "Hello"}
    flow.save()
    publish(flow)
    assert Prompt.objects.filter(code=f"{flow.code}.{name}").exists()
