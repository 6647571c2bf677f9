"""Writes the engine's facts into history. The only writer of these tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection, transaction

from apps.calls import followers
from apps.calls.folding import fold
from apps.calls.projection import Projection, StoredFact, storable_ms
from apps.core import codec
from apps.core.facts import ConfigApplied, Fact

__all__ = ["StoredFact", "record_facts"]

RECORDER_LOCK = 0x7472756E6B  # any constant; one recorder folds at a time


def record_facts(batch: Sequence[StoredFact]) -> int:
    """Write a batch in one transaction and return how many facts of it were new.

    Idempotent: a fact already recorded is skipped, so a batch may be repeated or overlap an earlier one. Facts of one
    epoch must come in order of ``seq``. Raises only what the database raises; then nothing of the batch is written.
    """
    with transaction.atomic():
        new = _keep(batch)
        if new:
            projection = Projection.load([item.fact for item in new])
            for item in new:
                fold(projection, item)
            projection.write()
            followers.tell(new)
    return len(new)


def _keep(batch: Sequence[StoredFact]) -> list[StoredFact]:
    """Store the facts as they are; returns those that were not there before, in the order given.

    One statement with one JSON parameter (the driver quotes a list item by item, which took longer than the insert).
    The server's own conflict check is the guard, also against a second recorder.
    """
    prepared = {(item.epoch, item.seq): _storable(item) for item in batch}
    if not prepared:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RECORDER_LOCK])
        cursor.execute(
            "INSERT INTO calls_factrecord (epoch, seq, at, tenant, call, type, data)"
            " SELECT epoch, seq, to_timestamp(at_ms / 1000.0), tenant, call, type, data"
            " FROM jsonb_to_recordset(%s::jsonb) AS row(epoch text, seq bigint, at_ms bigint, tenant text, call text,"
            " type text, data jsonb) ON CONFLICT (epoch, seq) DO NOTHING RETURNING epoch, seq",
            [(b"[" + b",".join(row for _, row in prepared.values()) + b"]").decode()],
        )
        inserted = set(cursor.fetchall())
    return [item for key, (item, _) in prepared.items() if key in inserted]


def _storable(item: StoredFact) -> tuple[StoredFact, bytes]:
    """The fact and its row as JSON. What PostgreSQL cannot hold (NUL, half a surrogate pair) is replaced in both."""
    try:
        row = _row(item, _plain(item.fact))
        if b"\\u0000" not in row:
            return item, row
    except TypeError:  # orjson's word for a lone surrogate
        pass
    data = _cleaned(_plain(item.fact))
    fact = item.fact if isinstance(item.fact, ConfigApplied) else codec.decode(data)
    clean = StoredFact(item.epoch, item.seq, fact)
    return clean, _row(clean, data)


def _row(item: StoredFact, data: dict[str, Any]) -> bytes:
    fact = item.fact
    return orjson.dumps(
        {
            "epoch": item.epoch,
            "seq": item.seq,
            "at_ms": storable_ms(fact.at_ms),
            "tenant": fact.tenant or "",
            "call": getattr(fact, "call", None) or "",
            "type": data["type"],
            "data": data,
        }
    )


def _plain(fact: Fact) -> dict[str, Any]:
    """The fact as data. A configuration is kept by its version alone: the whole is in the journal, and large."""
    if isinstance(fact, ConfigApplied):
        return {"type": "ConfigApplied", "at_ms": fact.at_ms, "tenant": None, "version": fact.config.version}
    return codec.encode(fact)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value
