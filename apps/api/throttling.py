"""So many requests a minute for each token and each person. Counted in Redis; without Redis, in this process.

Losing Redis must not stop the interface: then every web process counts for itself, and the log says so.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog
from django.conf import settings
from redis import Redis, RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.api.models import ApiToken
from apps.config.outages import Outage

log = structlog.get_logger(__name__)

WINDOW_S = 60
USER_RATE_PER_MIN = 1200
ANONYMOUS_RATE_PER_MIN = 60
REDIS_TIMEOUT_S = 0.2
REDIS_REST_S = 5.0
"""After a failure Redis is left alone for so long: a request must not wait for it again and again."""


class Counters:
    """How often a name was counted in the present window."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S, retry=None
        )
        self._away_until = 0.0
        self._outage = Outage(log, "throttle_counts_locally", "throttle_counts_in_redis")
        self._lock = threading.Lock()
        self._window = 0
        self._local: dict[str, int] = {}

    def count(self, name: str, now_s: float) -> int:
        """Counts once more and returns the sum in this window."""
        window = int(now_s // WINDOW_S)
        if time.monotonic() >= self._away_until:
            try:
                count = self._count_in_redis(f"trunkline:api:rate:{name}:{window}")
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + REDIS_REST_S
                self._outage.lasts(error=str(error))
            else:
                self._outage.over()
                return count
        return self._count_here(name, window)

    def _count_in_redis(self, key: str) -> int:
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, WINDOW_S * 2)
            return int(pipeline.execute()[0])

    def _count_here(self, name: str, window: int) -> int:
        with self._lock:
            if window != self._window:
                self._window, self._local = window, {}
            self._local[name] = self._local.get(name, 0) + 1
            return self._local[name]


_counters: Counters | None = None


def counters() -> Counters:
    global _counters
    if _counters is None:
        _counters = Counters(settings.REDIS_URL)
    return _counters


class PerToken(BaseThrottle):
    """A token has its own rate; a person the same for all their pages; whoever is neither, one for the address."""

    def allow_request(self, request: Request, view: Any) -> bool:
        now_s = time.time()
        name, rate = _who(request)
        used = counters().count(name, now_s)
        self._wait_s = WINDOW_S - now_s % WINDOW_S
        request._request.rate_limit = (rate, max(0, rate - used), self._wait_s)
        return used <= rate

    def wait(self) -> float:
        return self._wait_s


def _who(request: Request) -> tuple[str, int]:
    if isinstance(request.auth, ApiToken):
        return f"token:{request.auth.pk}", request.auth.rate_per_min
    if request.user is not None and request.user.is_authenticated:
        return f"user:{request.user.pk}", USER_RATE_PER_MIN
    return f"address:{request.META.get('REMOTE_ADDR', '')}", ANONYMOUS_RATE_PER_MIN
