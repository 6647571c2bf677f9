"""Prometheus metrics of one web process, in a registry of their own; the engine has its own at its door.

Several web processes are several targets: each counts for itself.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

registry = CollectorRegistry()
ProcessCollector(registry=registry)
GCCollector(registry=registry)
requests = Counter("trunkline_web_requests", "Answered requests", ["method", "view", "status"], registry=registry)
seconds = Histogram("trunkline_web_seconds", "Time to answer", ["view"], buckets=_SECONDS, registry=registry)
healthy = Gauge("trunkline_health", "1 well, 0.5 degraded, 0 down", ["part"], registry=registry)
pages = Gauge("trunkline_web_live_pages", "Open pages that follow the floor or a seat", registry=registry)
recordings_free = Gauge("trunkline_recordings_free_bytes", "Room left for recordings", registry=registry)
background_age = Gauge("trunkline_background_age_seconds", "Since beat's last task ran in a worker", registry=registry)


def page() -> bytes:
    return generate_latest(registry)
