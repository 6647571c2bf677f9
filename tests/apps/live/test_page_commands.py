"""A page's command becomes exactly the request of its own agent, or is refused with a reason."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core import events
from apps.core.codec import encode
from apps.live.floor_commands import parse_floor
from apps.live.page_commands import Asker, BadMessage, parse
from tests.apps.live.centre import config

ASKER = Asker(user_id="7", user_name="wang", tenant="1", agent="10")
ABOUT = {"type": "command", "cmd_id": "abcdef0123"}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"action": "sign_in"}, events.AgentSignedIn),
        ({"action": "ready"}, events.AgentWentReady),
        ({"action": "pause", "reason": "lunch"}, events.AgentPaused),
        ({"action": "answer", "call": "r-c1", "version": 3}, events.AnswerRequested),
        ({"action": "hang_up", "call": "r-c1"}, events.HangUpRequested),
        ({"action": "transfer", "call": "r-c1", "kind": "queue", "target": "16"}, events.TransferRequested),
        ({"action": "transfer", "call": "r-c1", "kind": "agent", "target": "11"}, events.TransferRequested),
        ({"action": "transfer", "call": "r-c1", "kind": "number", "target": "+861012345678"}, events.TransferRequested),
        ({"action": "consult", "call": "r-c1", "kind": "agent", "target": "11"}, events.ConsultRequested),
        ({"action": "consult_swap", "call": "r-c1"}, events.ConsultSwapRequested),
        ({"action": "consult_complete", "call": "r-c1"}, events.ConsultCompleteRequested),
        ({"action": "consult_cancel", "call": "r-c1"}, events.ConsultCancelRequested),
        ({"action": "three_way", "call": "r-c1"}, events.ThreeWayRequested),
        ({"action": "finish", "call": "r-c1", "disposition": "solved", "note": "好\nfine"}, events.WrapUpFinished),
        ({"action": "complete", "call": "r-c1", "disposition": "solved", "note": "late"}, events.LateResultGiven),
        ({"action": "extend", "call": "r-c1"}, events.WrapUpExtended),
        ({"action": "dial", "number": "+86 (010) 1234-5678"}, events.DialRequested),
        ({"action": "dial", "number": "10086", "caller_id": "4001", "customer": "c1"}, events.DialRequested),
        ({"action": "media_claim", "page": "page-1234"}, events.MediaClaimed),
        ({"action": "media", "ready": False, "epoch": 3}, events.MediaReady),
        ({"action": "ack", "call": "r-c1", "mic": "live", "audio": "running"}, events.OfferAcknowledged),
        ({"action": "decline", "call": "r-c1"}, events.DeclineRequested),
        ({"action": "rejoin", "call": "r-c1"}, events.RejoinRequested),
        ({"action": "help", "call": "r-c1", "wanted": True}, events.HelpRequested),
        ({"action": "mark", "call": "r-c1"}, events.CallMarkRequested),
        ({"action": "mute", "call": "r-c1"}, events.MuteRequested),
        ({"action": "unmute", "call": "r-c1"}, events.UnmuteRequested),
        ({"action": "dtmf", "call": "r-c1", "digits": "12#"}, events.DigitsRequested),
        ({"action": "mask", "call": "r-c1"}, events.RecordingPauseRequested),
        ({"action": "unmask", "call": "r-c1"}, events.RecordingResumeRequested),
        ({"action": "draft", "call": "r-c1", "note": "so far"}, events.DraftSaved),
    ],
)
def test_a_command_is_about_the_askers_own_agent(fields: dict[str, Any], kind: type) -> None:
    cmd_id, request = parse({**ABOUT, **fields}, ASKER, config())
    assert type(request) is kind
    assert (request.tenant, request.agent, request.actor) == ("1", "10", "wang")
    assert (cmd_id, request.cmd_id) == ("abcdef0123", "u7-abcdef0123")


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "ready", "agent": "20"},
        {"action": "ready", "tenant": "2"},
        {"action": "ready", "actor": "boss"},
        {"action": "AgentForced"},
        {"action": ["ready"]},
        {"action": "answer"},
        {"action": "answer", "call": 5},
        {"action": "answer", "call": "x" * 65},
        {"action": "answer", "call": "r-c1\r\n"},
        {"action": "answer", "call": "r-c1", "version": True},
        {"action": "answer", "call": "r-c1", "version": -1},
        {"action": "transfer", "call": "r-c1", "kind": "queue", "target": "25"},  # another tenant's
        {"action": "consult", "call": "r-c1", "kind": "extension", "target": "9999"},  # nobody's
        {"action": "transfer", "call": "r-c1", "kind": "agent", "target": "20"},
        {"action": "transfer", "call": "r-c1", "kind": "agent", "target": "10"},  # oneself
        {"action": "transfer", "call": "r-c1", "kind": "number", "target": "1;api"},
        {"action": "transfer", "call": "r-c1", "kind": "number", "target": "1 2a"},
        {"action": "transfer", "call": "r-c1", "kind": "queue", "target": "16", "note": "x" * 1001},
        {"action": "dial"},
        {"action": "dial", "number": ""},
        {"action": "dial", "number": "10086;hupall"},
        {"action": "dial", "number": "1" * 33},
        {"action": "dial", "number": "10086", "caller_id": "me"},
        {"action": "dial", "number": "10086", "attached": ["a"]},
        {"action": "dial", "number": "10086", "attached": {"a": 1}},
        {"action": "dial", "number": "10086", "attached": {"a": "x" * 201}},
        {"action": "dial", "number": "10086", "attached": dict.fromkeys(map(str, range(21)), "")},
        {"action": "dtmf", "call": "r-c1", "digits": "12a"},
        {"action": "dtmf", "call": "r-c1", "digits": ""},
        {"action": "dtmf", "call": "r-c1", "digits": 5},
        {"action": "media", "ready": "yes", "epoch": 1},
        {"action": "media", "ready": True, "epoch": -1},
        {"action": "help", "call": "r-c1", "wanted": "yes"},
        {"action": "media_claim", "page": "x"},
        {"action": "draft", "call": "r-c1", "note": "", "disposition": "no such"},
        {"action": "force", "agent": "11", "state": "READY"},  # of the floor only
        {"action": "transfer", "call": "r-c1", "kind": "flow", "target": "1"},
        {"action": "finish", "call": "r-c1", "disposition": "UNSET"},
        {"action": "finish", "call": "r-c1", "disposition": "solved", "note": "x" * 4001},
        {"action": "ready", "cmd_id": "short"},
        {"action": "ready", "cmd_id": None},
    ],
)
def test_anything_else_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        parse({**ABOUT, **fields}, ASKER, config())


def test_a_number_loses_what_people_write_between_digits() -> None:
    _, request = parse({**ABOUT, "action": "dial", "number": " +86 (010) 1234-5678 "}, ASKER, config())
    assert isinstance(request, events.DialRequested) and request.number == "+8601012345678"


@pytest.mark.parametrize("sound", [{}, {"mic": "live"}, {"mic": "ended", "audio": "running"}, {"mic": 1, "audio": []}])
def test_an_acknowledgement_without_sound_says_so(sound: dict[str, Any]) -> None:
    _, request = parse({**ABOUT, "action": "ack", "call": "c", **sound}, ASKER, config())
    assert isinstance(request, events.OfferAcknowledged) and not request.live


@pytest.mark.parametrize(
    "fields",
    [
        {"agent": "20"},  # another tenant's
        {"agent": ["11"]},
        {},
        {"agent": "11", "state": "TALKING"},
        {"agent": "11", "state": ["READY"]},
        {"agent": "11", "state": "READY", "now": "yes"},
        {"agent": "11", "state": "READY", "actor": "boss"},
        {"agent": "11", "state": "READY", "reason": 5},
    ],
)
def test_a_floor_forces_only_its_own_agents_into_resting_states(fields: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        parse_floor({**ABOUT, "action": "force", **fields}, ASKER, config())


def test_force_is_about_the_named_agent_by_the_asker() -> None:
    message = {**ABOUT, "action": "force", "agent": "11", "state": "PAUSED", "reason": "lunch", "now": True}
    _, request = parse_floor(message, ASKER, config())
    assert isinstance(request, events.AgentForced) and request.now
    assert (request.tenant, request.agent, request.actor, request.state) == ("1", "11", "wang", "PAUSED")


def test_a_note_keeps_its_lines_and_loses_what_breaks_stores() -> None:
    note = "a\x00b\x1b[31m\n\ud800c"
    _, request = parse(
        {**ABOUT, "action": "finish", "call": "c", "disposition": "solved", "note": note}, ASKER, config()
    )
    assert isinstance(request, events.WrapUpFinished)
    assert request.note == "ab[31m\nc"
    orjson.dumps(encode(request))


_json = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda item: st.lists(item, max_size=3))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # CI is slow, not the input
@given(
    st.dictionaries(
        st.sampled_from(["action", "cmd_id", "call", "version", "kind", "target", "number", "attached", "ready", "x"]),
        _json,
    )
)
def test_no_message_raises_anything_but_bad_message(message: dict[str, Any]) -> None:
    for action in ("answer", "transfer", "finish", "pause", "dial", "ack", "media", "dtmf", message.get("action")):
        try:
            parse({**ABOUT, **message, "action": action}, ASKER, config())
        except BadMessage:
            continue
