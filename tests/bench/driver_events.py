"""How many events a second the FreeSWITCH driver takes in. ``python -m tests.bench.driver_events [COUNT]``

Events are recorded ones of the kinds that the driver subscribes to. First the logic alone (framing, reading, decoding),
then the whole driver: real TCP from a peer in this process, its own hub, and ``emit`` out of its thread.
"""

from __future__ import annotations

import itertools
import sys
import time
from dataclasses import replace

from apps.core.events import DigitPressed, LinkUp, SwitchEvent
from apps.switches.freeswitch.decode import SUBSCRIPTION
from apps.switches.freeswitch.driver import FreeSwitchDriver
from apps.switches.freeswitch.framing import Framer, PlainEvent, parse_json
from tests.switches.freeswitch.fakes import SETTINGS, control
from tests.switches.freeswitch.peer import PASSWORD, Inbox, Peer, until
from tests.switches.freeswitch.recorded import plain, raw

CHUNK = 64 * 1024


def frame(event: dict[str, str]) -> bytes:
    body = plain(event)
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body)


def stream(count: int) -> tuple[bytes, int]:
    """``count`` recorded events of the kinds that the driver subscribes to, over and over; and their mean size."""
    kinds = frozenset(SUBSCRIPTION.split())
    recorded = []
    for name in ("out_ivr_queue_bridge", "supervise_record_transfer", "persistent_agent_leg"):
        for message in Framer().feed(raw(name, "inbound")):
            if message.content_type == "text/event-json":
                event = parse_json(message.body)
                if event["Event-Name"] in kinds:
                    event["variable_trunkline_leg"] = "customer:bench-c1:1"  # ours, so that all of the logic runs
                    recorded.append(frame(event))
    data = b"".join(itertools.islice(itertools.cycle(recorded), count))
    return data, len(data) // count


def logic(data: bytes, count: int) -> float:
    logic, ports = control()
    framer = Framer()
    began = time.perf_counter()
    for at in range(0, len(data), CHUNK):
        for message in framer.feed(data[at : at + CHUNK]):
            logic.event(PlainEvent(message.body))
        ports.sent.clear()
    return count / (time.perf_counter() - began)


def whole(data: bytes, count: int) -> float:
    peer, inbox = Peer(), Inbox()
    driver = FreeSwitchDriver(replace(SETTINGS, port=peer.port, arrival_port=0, password=PASSWORD))
    driver.start(inbox)
    try:
        inbox.wait(LinkUp)
        before = driver.counters.events
        began = time.perf_counter()
        peer.write(data)
        until(lambda: driver.counters.events - before >= count, "all events", 120)
        return count / (time.perf_counter() - began)
    finally:
        driver.stop()
        peer.close()


def emitted(data: bytes) -> list[SwitchEvent]:
    logic, ports = control()
    for message in Framer().feed(data):
        logic.event(PlainEvent(message.body))
    return ports.emitted


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    data, size = stream(count)
    assert any(isinstance(event, DigitPressed) for event in emitted(data[: 2_000 * size]))
    print(f"{count} events of {size} bytes on average")
    print(f"framing and logic: {logic(data, count):,.0f} events/s")
    print(f"whole driver over TCP:   {whole(data, count):,.0f} events/s")


if __name__ == "__main__":
    main()
