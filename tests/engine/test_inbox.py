import threading

import pytest

from apps.core.events import AgentWentReady, DeviceChanged, SwitchEvent
from apps.core.ids import AgentId, SwitchId, TenantId
from apps.engine.inbox import Inbox, InboxFull


def device(number: int, switch: str = "1") -> SwitchEvent:
    return DeviceChanged(switch=SwitchId(switch), address=str(number), registered=True)


def ready(cmd_id: str) -> AgentWentReady:
    return AgentWentReady(tenant=TenantId("1"), cmd_id=cmd_id, actor="a", agent=AgentId("1"))


def test_wakes_once_for_a_batch_and_again_after_it_was_emptied() -> None:
    woken: list[int] = []
    inbox = Inbox(lambda: woken.append(1))
    for number in range(10):
        inbox.emit(device(number))
    assert len(woken) == 1
    assert len(inbox.take(4)) == 4
    inbox.emit(device(11))
    assert len(woken) == 1  # the reader has not finished
    assert len(inbox.take(100)) == 7
    inbox.emit(device(12))
    assert len(woken) == 2


def test_keeps_each_threads_order_and_loses_nothing() -> None:
    inbox = Inbox(lambda: None)
    each = 5_000

    def emit(switch: str) -> None:
        for number in range(each):
            inbox.emit(device(number, switch))

    threads = [threading.Thread(target=emit, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    seen: dict[str, list[int]] = {name: [] for name in "abcd"}
    while any(thread.is_alive() for thread in threads) or len(inbox):
        for event in inbox.take(128):
            assert isinstance(event, DeviceChanged)
            seen[event.switch].append(int(event.address))
    assert all(numbers == list(range(each)) for numbers in seen.values())


def test_a_dropped_switch_event_is_counted_and_its_switch_named_once_when_there_is_room() -> None:
    inbox = Inbox(lambda: None, capacity=10)
    for number in range(12):
        inbox.emit(device(number, "7"))
    assert inbox.dropped == {"7": 2}
    assert inbox.take_gapped() == frozenset()  # still full: the snapshot would not get in
    inbox.take(6)
    assert inbox.take_gapped() == {"7"}
    assert inbox.take_gapped() == frozenset()


def test_requests_leave_room_for_switch_events() -> None:
    inbox = Inbox(lambda: None, capacity=10)
    inbox.submit([ready(str(number)) for number in range(5)])
    with pytest.raises(InboxFull):
        inbox.submit([ready("one more")])
    for number in range(5):
        inbox.emit(device(number))
    assert not inbox.dropped
    assert len(inbox) == 10
