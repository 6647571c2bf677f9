"""Asking the leader to let its standby lead, and waiting until it does: for a restart that nobody notices."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import orjson

from apps.engine.leadership import Role

ANSWER_S = 3.0
TAKEN_OVER_S = 15.0
LOOK_S = 0.1


class NobodyTakesOver(Exception):
    """The lead stays where it is; the message says why."""


def step_down(doors: Sequence[str], token: str) -> str:
    """Returns what happened, in a sentence, when the other engine leads. Raises ``NobodyTakesOver``."""
    leader = _leader(doors)
    if leader is None:
        raise NobodyTakesOver(f"no engine leads at {', '.join(doors)}")
    request = urllib.request.Request(f"{leader}/step-down", b"", {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S):
            began = time.monotonic()
    except urllib.error.HTTPError as error:
        raise NobodyTakesOver(_reason(error)) from error
    except OSError as error:
        raise NobodyTakesOver(f"{leader}: {error}") from error
    while time.monotonic() - began < TAKEN_OVER_S:
        now = _leader(doors)
        if now is not None and now != leader:
            return f"{now} leads, after {time.monotonic() - began:.1f} s; {leader} stands by"
        time.sleep(LOOK_S)
    raise NobodyTakesOver(f"{leader} stepped down, and after {TAKEN_OVER_S:.0f} s no other engine leads")


def _leader(doors: Sequence[str]) -> str | None:
    return next((door for door in doors if _health(door).get("role") == Role.LEADING), None)


def _health(door: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{door}/health", timeout=ANSWER_S) as reply:
            data: dict[str, Any] = orjson.loads(reply.read())
    except urllib.error.HTTPError as error:  # not well, and says so
        data = orjson.loads(error.read())
    except OSError:
        return {}
    return data


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(orjson.loads(error.read())["error"])
    except (ValueError, KeyError):
        return f"the door answered {error.code}"
