"""Whatever code of the core a page may show has a word; that both languages have it is the front end's own test."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import pytest

from apps.calls import decisions
from apps.calls.models import SegmentKind
from apps.core import facts as f
from apps.core.agents import kept_open, states
from apps.core.agents.machine import AgentState
from apps.core.callbacks.model import CallbackState
from apps.core.calls.model import CallState
from apps.core.config import Strategy
from apps.core.events import HangupCause, LegRole
from apps.recordings.models import RecordingStatus
from tests.refusals import refused

APPS = Path(__file__).resolve().parents[3] / "apps"
SOURCES = APPS / "consoles" / "frontend" / "src"


def words(file: str, name: str) -> set[str]:
    """The keys of a dictionary of the front end, as it has them in English."""
    text = (SOURCES / file).read_text(encoding="utf-8")
    found = re.search(
        rf"const {name}\b[^=]*= dictionary(?:<[^(]*>)?\(\s*\{{(.*?)\n  \}}|const {name}\b.*?\{{(.*?)\}},\n", text, re.S
    )
    assert found is not None, name
    return set(re.findall(r"(\w+): \"", found[1] or found[2]))


def values(*kinds: Iterable[StrEnum | str]) -> set[str]:
    return {str(value) for kind in kinds for value in kind}


@pytest.mark.parametrize(
    ("file", "name", "codes"),
    [
        ("calls/words.ts", "stored", values(f.CallOutcome, f.Direction, f.OfferOutcome, f.QueueExit, f.ConsultEnd)),
        ("calls/words.ts", "stored", values(f.RejoinEnd, f.DialOutcome, f.CallbackOutcome, HangupCause, LegRole)),
        ("calls/words.ts", "stored", values(SegmentKind.values, RecordingStatus.values)),
        ("calls/words.ts", "rules", values(Strategy)),
        ("lib/states.ts", "stateWords", values(AgentState)),
        ("lib/states.ts", "reasonWords", set(decisions.STATE_REASONS)),
        ("agent/consult_words.ts", "c", {f"outcome_{one}" for one in f.DialOutcome}),
        ("wall/words.ts", "callWords", values(CallState)),
        ("wall/words.ts", "callbackWords", values(CallbackState)),
    ],
)
def test_every_code_of_the_core_has_a_word(file: str, name: str, codes: set[str]) -> None:
    assert codes and codes <= words(file, name)


def test_every_refusal_says_why() -> None:
    assert set(refused("core", "live")) <= words("lib/words.ts", "refusals")


def test_why_the_engine_put_somebody_into_a_state_is_told_in_words() -> None:
    of_the_line = {kept_open.LOST, kept_open.NOT_ANSWERED, kept_open.FAILED}
    ours = {states.NO_ACK, "login", "forced", "declined", "no_answer", "lost"}
    assert of_the_line | ours <= decisions.STATE_REASONS.keys()
