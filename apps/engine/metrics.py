"""Prometheus metrics of one engine, in a registry of their own."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from apps.core.ids import SwitchId
from apps.core.state import State

_DECISION_S = (0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)
_LAG_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0)
DRIVER_COUNTS = {
    "events": "Events a driver has read from its switch",
    "commands": "Frames a driver has sent to its switch",
    "arrivals": "Calls that came in over a driver's socket, those that came back included",
    "refused": "Commands a driver could not take or refused as unsafe",
    "reconnects": "Times a driver's link had to be made anew",
    "gaps": "Times a switch's events seem to have been lost; a snapshot follows",
    "unreadable": "Events that could not be read",
}


class _Drivers(Collector):
    """What the drivers count themselves. They begin at nothing when one is replaced, as counters may."""

    def __init__(self) -> None:
        self.counted: Mapping[SwitchId, Mapping[str, int]] = {}

    def collect(self) -> Iterator[CounterMetricFamily]:
        for name, text in DRIVER_COUNTS.items():
            family = CounterMetricFamily(f"trunkline_driver_{name}", text, labels=["switch"])
            for switch, counted in self.counted.items():
                family.add_metric([switch], counted.get(name, 0))
            yield family


class Metrics:
    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._drivers = _Drivers()
        registry.register(self._drivers)
        self.events = Counter("trunkline_events", "Inputs handled by the core", ["type"], registry=registry)
        self.facts = Counter("trunkline_facts", "Facts decided", registry=registry)
        self.commands = Counter("trunkline_commands", "Commands sent to switches", registry=registry)
        self.anomalies = Counter("trunkline_anomalies", "Inputs that did not fit the state", registry=registry)
        self.core_failures = Counter("trunkline_core_failures", "Exceptions in the core: bugs", registry=registry)
        self.dropped = Gauge("trunkline_inbox_dropped", "Switch events that found the inbox full", registry=registry)
        self.inbox = Gauge("trunkline_inbox_events", "Inputs that wait", registry=registry)
        self.decision = Histogram(
            "trunkline_decision_seconds", "One input through the core", buckets=_DECISION_S, registry=registry
        )
        self.commit = Histogram(
            "trunkline_commit_seconds", "One batch into the journal", buckets=_DECISION_S, registry=registry
        )
        self.loop_lag = Histogram(
            "trunkline_loop_lag_seconds", "How late the loop's own pulse came", buckets=_LAG_S, registry=registry
        )
        self.journal_depth = Gauge("trunkline_journal_depth_facts", "Facts not yet in PostgreSQL", registry=registry)
        self.journal_pending = Gauge(
            "trunkline_journal_pending_facts", "Facts that wait for the disk", registry=registry
        )
        self.journal_lost = Gauge(
            "trunkline_journal_lost_facts", "Facts given up with the disk gone", registry=registry
        )
        self.disk_free = Gauge("trunkline_journal_free_bytes", "Room left for the journal", registry=registry)
        self.recorder_lag = Gauge(
            "trunkline_recorder_lag_seconds", "Age of the oldest unrecorded fact", registry=registry
        )
        self.recorder_refused = Gauge("trunkline_recorder_refused_facts", "Facts PostgreSQL refused", registry=registry)
        self.gate = Gauge("trunkline_accepting_calls", "1 when new calls are taken", registry=registry)
        self.calls = Gauge("trunkline_calls", "Live calls", ["state"], registry=registry)
        self.agents = Gauge("trunkline_agents", "Agents", ["state"], registry=registry)
        self.links = Gauge("trunkline_link_up", "1 when the switch is reached", ["switch"], registry=registry)
        self.leading = Gauge("trunkline_leading", "1 when this engine leads for certain, 0 when not", registry=registry)
        self.term = Gauge("trunkline_term", "The lead's number: grows with each takeover", registry=registry)
        self.standbys = Gauge("trunkline_standbys", "Engines that have every fact of this one", registry=registry)
        self.standby_behind = Gauge(
            "trunkline_standby_behind_facts", "Facts of the leader that this standby has not yet", registry=registry
        )
        self.followers = Gauge("trunkline_followers", "Readers of the facts stream", registry=registry)

    def count_state(self, state: State) -> None:
        calls = Tally(call.state for call in state.calls.values())
        agents = Tally(agent.state for agent in state.agents.values())
        for call_state in CallState:
            self.calls.labels(call_state.value).set(calls[call_state])
        for agent_state in AgentState:
            self.agents.labels(agent_state.value).set(agents[agent_state])
        for switch, link in state.switches.items():
            self.links.labels(switch).set(link.up)

    def count_drivers(self, counted: Iterable[tuple[SwitchId, Mapping[str, int]]]) -> None:
        """Of each driver that counts, by name."""
        self._drivers.counted = dict(counted)

    def page(self) -> bytes:
        return generate_latest(self.registry)
