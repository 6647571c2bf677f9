"""One attempt over HTTP. Whatever the other side does, it ends within ``TIMEOUT_S`` and is told as an ``Outcome``."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp
import orjson
from django.utils import timezone

from apps.accounts.sealing import Unreadable
from apps.webhooks.destinations import Barred, JudgingResolver, judge
from apps.webhooks.models import Delivery
from apps.webhooks.signing import headers

TIMEOUT_S = 5.0
EXCERPT = 2_000
USER_AGENT = "Trunkline-Webhooks/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``status`` is None when there was no answer; then ``error`` says why. Excerpts are text that can be stored."""

    at: datetime
    latency_ms: int
    status: int | None
    error: str
    sent: str
    answer: str

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver wants nothing of this any more (410)."""
        return self.status == 410


def send(delivery: Delivery) -> Outcome:
    """From any thread without an event loop."""
    at = timezone.now()
    body = orjson.dumps(delivery.payload, option=orjson.OPT_SORT_KEYS)
    named = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    began_s = time.monotonic()
    try:
        named = {**headers(delivery.endpoint, delivery.message_id, at, body), **named}
    except Unreadable as unreadable:
        status, error, answer = None, f"the key of this webhook is {unreadable}: make a new one", ""
    else:
        status, error, answer = asyncio.run(_post(delivery.endpoint.url, body, named))
    shown = "\n".join(f"{name}: {value}" for name, value in named.items() if name != "webhook-signature")
    return Outcome(
        at=at,
        latency_ms=round((time.monotonic() - began_s) * 1000),
        status=status,
        error=error,
        sent=f"{shown}\n\n{body.decode()}"[:EXCERPT],
        answer=answer,
    )


async def _post(url: str, body: bytes, named: dict[str, str]) -> tuple[int | None, str, str]:
    parts = urlsplit(url)
    connector = aiohttp.TCPConnector(resolver=JudgingResolver(parts.scheme), use_dns_cache=False, force_close=True)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        _judge_literal(parts.hostname or "", parts.scheme)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session,
            session.post(url, data=body, headers=named, allow_redirects=False) as reply,
        ):
            excerpt = _storable(await reply.content.read(EXCERPT))
            error = "redirects are not followed" if 300 <= reply.status < 400 else ""
            return reply.status, error, excerpt
    except TimeoutError:
        return None, f"no answer within {TIMEOUT_S:.0f} s", ""
    except (aiohttp.ClientError, OSError, ValueError) as error:
        barred = _barred(error)
        return None, _storable(str(barred or error or type(error).__name__).encode()), ""
    finally:
        await connector.close()


def _judge_literal(host: str, scheme: str) -> None:
    """An address written as one never reaches the resolver."""
    if host.replace(".", "").isdigit() or ":" in host:
        judge([host], scheme)


def _barred(error: BaseException | None) -> Barred | None:
    """aiohttp wraps what its resolver raises."""
    while error is not None and not isinstance(error, Barred):
        error = error.__cause__ or getattr(error, "os_error", None)
    return error


def _storable(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")[:EXCERPT]
