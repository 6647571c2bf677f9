"""What is shown, to whom, and how it is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings

from apps.accounts.models import Tenant
from apps.agents.models import Agent
from apps.calls.projection import moment
from apps.calls.services import record_facts
from apps.core import facts as f
from apps.queues.models import Queue
from apps.recordings import sound
from apps.recordings.models import Recording, RecordingAccess, RecordingStatus
from apps.telephony.models import Switch
from tests.apps.api.conftest import Program, problem, program_of
from tests.apps.api.engine import Centre
from tests.apps.conftest import signed_in
from tests.apps.facts_of_calls import T0, arrival, ending, offer, queued, served_call, stored, talk

LISTS = ("agents", "calls", "dids", "dispositions", "pause-reasons", "queues", "recordings")


@pytest.fixture
def history(story: Tenant) -> Tenant:
    """A served call with a recording, an abandoned one, one that goes on, and one of another tenant."""
    ours = {"tenant": str(story.pk)}
    agent, queue = str(Agent.objects.get(user__username="wangfang").pk), str(Queue.objects.order_by("pk")[0].pk)
    switch = str(Switch.objects.get().pk)
    facts: list[f.Fact] = [
        *arrival("c1", T0, switch=switch, **ours),
        *queued("c1", T0 + 1000, queue=queue, **ours),
        *_of(story.pk, offer("c1", T0 + 2000, f.OfferOutcome.ANSWERED, agent=agent, queue=queue)),
        *_of(story.pk, talk("c1", T0 + 4000, 60_000, agent=agent, queue=queue)),
        f.RecordingAsked(
            at_ms=T0 + 4000, call="c1", recording="r1", leg="c1-in", switch=switch, path="a/r1.wav", **ours
        ),
        f.RecordingBegan(at_ms=T0 + 4100, call="c1", recording="r1", **ours),
        f.RecordingEnded(at_ms=T0 + 64_000, call="c1", recording="r1", duration_ms=59_900, **ours),
        *_of(story.pk, ending("c1", T0 + 65_000, f.CallOutcome.SERVED)),
        *arrival("c2", T0 + 100_000, caller_number="02188886666", **ours),
        *queued("c2", T0 + 101_000, queue=queue, **ours),
        *_of(story.pk, ending("c2", T0 + 130_000, f.CallOutcome.ABANDONED)),
        *arrival("c3", T0 + 200_000, **ours),
        *_of(story.pk + 1000, served_call("foreign", T0)),
    ]
    record_facts(stored(facts))
    return story


def _of(tenant_id: int, facts: list[f.Fact]) -> list[f.Fact]:
    return [replace(fact, tenant=str(tenant_id)) for fact in facts]


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["c3", "c2", "c1"]),
        ("?number=02188886666", ["c2"]),
        ("?outcome=served", ["c1"]),
        ("?outcome=abandoned&direction=inbound", ["c2"]),
        ("?direction=outbound", []),
        ("?live=true", ["c3"]),
        ("?live=false", ["c2", "c1"]),
        ("?since=2026-09-21T14:15:00Z", ["c3", "c2"]),
        ("?until=2026-09-21T14:15:00Z", ["c1"]),
        ("?did=4008005566&limit=1", ["c3"]),
    ],
)
def test_calls_are_found(history: Tenant, query: str, found: list[str]) -> None:
    """On the day they were: later, the one without an end was lost and does not go on."""
    with time_machine.travel(moment(T0 + 600_000), tick=False):
        assert ids(program_of("admin").get("/calls" + query)) == found


def test_calls_are_found_by_who_took_part(history: Tenant) -> None:
    program = program_of("admin")
    agent = Agent.objects.get(user__username="wangfang").pk
    assert ids(program.get(f"/calls?agent={agent}")) == ["c1"]
    assert ids(program.get(f"/calls?queue={Queue.objects.order_by('pk')[0].pk}")) == ["c2", "c1"]
    assert ids(program.get("/calls?agent=999999999999")) == []


@pytest.mark.parametrize(
    "query",
    ["agent=x", "agent=-1", "agent=99999999999999999999", "since=yesterday", "since=" + "9" * 5000, "outcome=good",
     "number=%27%3B--", "live=maybe", "agnet=1", "did=" + "1" * 33, "direction[]=inbound"],
)  # fmt: skip
def test_a_query_that_is_none(history: Tenant, query: str) -> None:
    found = problem(program_of("admin").get("/calls?" + query), 400, "invalid")
    assert found["errors"][0]["pointer"].strip("/") == query.partition("=")[0]


def test_a_whole_call(history: Tenant) -> None:
    call = program_of("admin").get("/calls/c1").json()
    assert [segment["kind"] for segment in call["segments"]] == ["ivr", "queue", "talk"]
    assert call["agent"]["name"] == call["segments"][-1]["agent"]["name"] == "王芳"
    assert {leg["role"] for leg in call["legs"]} == {"customer", "agent"} and call["recordings"] == ["r1"]
    timeline = program_of("admin").get("/calls/c1/timeline").json()
    assert [fact["type"] for fact in timeline][0::99] == ["CallStarted"] and timeline[-1]["type"] == "CallEnded"


def test_an_agent_sees_their_own_calls_only(history: Tenant) -> None:
    assert ids(signed_in("wangfang").get("/api/v1/calls")) == ["c1"]
    assert ids(signed_in("lina").get("/api/v1/calls")) == []
    problem(signed_in("lina").get("/api/v1/calls/c1"), 404, "not_found")
    problem(signed_in("lina").get("/api/v1/calls/c1/timeline"), 404, "not_found")
    assert ids(signed_in("lina").get("/api/v1/agents")) == [Agent.objects.get(user__username="lina").pk]


def test_nothing_of_another_tenant(history: Tenant, other_tenant: Tenant) -> None:
    theirs = program_of("otheradmin")
    for name in LISTS:
        assert ids(theirs.get(f"/{name}")) == [], name
        mine = ids(program_of("admin").get(f"/{name}"))
        assert mine, name
        problem(theirs.get(f"/{name}/{mine[0]}"), 404, "not_found")
    for path in ("/calls/c1/timeline", "/recordings/r1/audio", "/calls/foreign"):
        problem(theirs.get(path), 404, "not_found")
    agent = Agent.objects.all()[0]
    problem(theirs.post(f"/agents/{agent.pk}/state", {"state": "READY"}), 404, "not_found")


@pytest.mark.parametrize(
    "path", [*(f"/{name}" for name in LISTS), "/calls/c1", "/calls/c1/timeline", "/recordings/r1/audio"]
)
def test_a_token_without_the_scope(history: Tenant, path: str) -> None:
    answer = program_of("admin", "webhooks:manage").get(path)
    assert problem(answer, 403, "insufficient_scope")["scope"] in answer["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["/recordings", "/recordings/r1", "/recordings/r1/audio"])
def test_an_agent_hears_no_recordings(history: Tenant, path: str) -> None:
    problem(signed_in("wangfang").get("/api/v1" + path), 403, "permission_denied")


def test_live_states_come_from_the_engine(engine: Centre, program: Program) -> None:
    agent = program.get("/agents?limit=1").json()["results"][0]
    assert agent["live"] is None or agent["live"]["state"] == "LOGGED_OUT"
    queue = program.get("/queues").json()["results"][0]["live"]
    assert queue["waiting"] == 0 and queue["age_s"] < 5


def test_without_an_engine_there_is_nothing_live(program: Program) -> None:
    assert program.get("/queues").json()["results"][0]["live"] is None


# --- sound ---


@pytest.fixture
def wav(history: Tenant) -> bytes:
    data = bytes(range(256)) * 400
    path = Path(settings.RECORDINGS_DIR) / Switch.objects.get().name / "a" / "r1.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return data


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=100-299", (100, 300)),
        ("bytes=102000-", (102_000, 102_400)),
        ("bytes=-100", (102_300, 102_400)),
        ("bytes=-999999", (0, 102_400)),
        ("bytes=102399-999999999999999999", (102_399, 102_400)),
        ("bytes=0-102399", (0, 102_400)),
        ("Bytes = 5-5", (5, 6)),
        ("bytes=,\t7-9 ,,", (7, 10)),
        ("bytes=0000000000000000000000005-" + "9" * 5000, (5, 102_400)),
    ],
)
def test_a_part_of_the_sound(wav: bytes, header: str, part: tuple[int, int]) -> None:
    response = program_of("integrator", "recordings:read").get("/recordings/r1/audio", range=header)
    assert response.status_code == 206 and content(response) == wav[part[0] : part[1]]
    assert response["Content-Range"] == f"bytes {part[0]}-{part[1] - 1}/{len(wav)}"
    assert response["Content-Length"] == str(part[1] - part[0]) and response["Content-Type"] == "audio/wav"


@pytest.mark.parametrize("header", ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "seconds=1-2", "bytes=x-y",
                                    "bytes=1,2", "bytes=,", "bytes=0x1-2", "bytes=+1-2", "bytes=１-２"])  # fmt: skip
def test_no_range_is_the_whole(wav: bytes, header: str) -> None:
    response = program_of("admin").get("/recordings/r1/audio", range=header.encode().decode("latin-1"))
    assert response.status_code == 200 and content(response) == wav


@pytest.mark.parametrize("header", ["bytes=102400-", "bytes=999999-1000000", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_a_part_that_is_not_there(wav: bytes, header: str) -> None:
    response = program_of("admin").get("/recordings/r1/audio", range=header)
    assert response.status_code == 416 and response["Content-Range"] == "bytes */102400"


def test_head_and_conditions(wav: bytes) -> None:
    program = program_of("admin")
    head = program.ask("HEAD", "/recordings/r1/audio", range="bytes=0-9")
    assert head.status_code == 200, "a range is GET's alone"
    assert head["Content-Length"] == "102400" and head["Accept-Ranges"] == "bytes" and content(head) == b""
    assert not RecordingAccess.objects.exists(), "no sound was sent"
    assert content(program.get("/recordings/r1/audio", range="bytes=0-9", if_range=head["ETag"])) == wav[:10]
    assert content(program.get("/recordings/r1/audio", range="bytes=0-9", if_range='"old"')) == wav
    assert program.get("/recordings/r1/audio", if_none_match=head["ETag"]).status_code == 304
    assert program.get("/recordings/r1/audio", if_match='"old"').status_code == 412


def test_who_listens_is_noted_once_a_listening(wav: bytes) -> None:
    """Wherever they begin: all but the first byte is the whole talk."""
    program = program_of("admin")
    program.get("/recordings/r1/peaks")
    program.get("/recordings/r1/audio", range="bytes=999999-")
    assert not RecordingAccess.objects.exists(), "a look at the shape is no listening"
    for asked in ("bytes=50-", "bytes=0-", "bytes=40-"):
        program.get("/recordings/r1/audio", range=asked)
    reply = program.get("/recordings/r1/audio?download")
    assert reply["Content-Disposition"] == 'attachment; filename="r1.wav"'
    noted = RecordingAccess.objects.order_by("at").values_list("username", "way", "recording")
    assert list(noted) == [("admin", "played", "r1"), ("admin", "downloaded", "r1")]


async def test_an_asynchronous_server_reads_the_file_as_it_is_heard(tmp_path: Path, rf: Any) -> None:
    """Django would collect a plain iterator first: an hour of sound in memory for each listener."""
    path = tmp_path / "long.wav"
    path.write_bytes(b"0123456789abcdef" * (4 * sound.CHUNK // 16))
    response: Any = sound.answer(rf.get("/", headers={"range": f"bytes=5-{3 * sound.CHUNK + 7}"}), path)
    pieces = aiter(response)
    first = await anext(pieces)
    assert len(first) == sound.CHUNK and response._part._file.tell() < 4 * sound.CHUNK
    rest = [piece async for piece in pieces]
    assert b"".join([first, *rest]) == path.read_bytes()[5 : 3 * sound.CHUNK + 8] and len(rest) > 2
    response.close()
    assert response._part._file.closed


def test_sound_that_is_not_there(history: Tenant) -> None:
    program = program_of("admin")
    for path in ("../../../etc/passwd", "/etc/passwd", "gone.wav", "x" * 5000):
        Recording.objects.filter(pk="r1").update(path=path)
        problem(program.get("/recordings/r1/audio"), 404, "not_found")
        problem(program.get("/recordings/r1/peaks"), 404, "not_found")
    Recording.objects.filter(pk="r1").update(status=RecordingStatus.RUNNING)
    problem(program.get("/recordings/r1/audio", accept="audio/*"), 409, "not_ready")
