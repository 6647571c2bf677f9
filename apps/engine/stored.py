"""A fact with its place in the journal, as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from apps.core import codec
from apps.core.facts import Fact


@dataclass(frozen=True, slots=True)
class Stored:
    """A fact with its place: ``data`` is the JSON of ``codec.encode``. ``seq`` grows by one with each fact."""

    seq: int
    epoch: str
    fact: Fact
    data: bytes

    @property
    def message(self) -> bytes:
        """As the door sends it."""
        return placed(self.data, seq=self.seq)


def placed(data: bytes, **place: int | str) -> bytes:
    """The fact's JSON with its place in the journal in front."""
    return orjson.dumps(place)[:-1] + b"," + data[1:]


def encode(fact: Fact) -> bytes:
    """The fact as JSON. Text that is not valid Unicode (a driver's fault) is repaired, not refused."""
    data = codec.encode(fact)
    try:
        return orjson.dumps(data)
    except TypeError:
        return orjson.dumps(_repaired(data))


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    if isinstance(value, dict):
        return {_repaired(key): _repaired(item) for key, item in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return str(value)
    return value


def row_of(item: Stored) -> tuple[int, str, int, str | None, str | None, str, bytes]:
    fact = item.fact
    return (
        item.seq, item.epoch, fact.at_ms, fact.tenant, getattr(fact, "call", None), type(fact).__name__, item.data,
    )  # fmt: skip
