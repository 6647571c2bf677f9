"""Who comes before others: by the number they called, or by who they are."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from apps.core.queues.ordering import priority_of
from tests.core.scene import SWITCH, TENANT, Scene, center_config


def scene(did_priority: int | None = None, **tenant: Any) -> Scene:
    config = center_config()
    did = dataclasses.replace(config.dids[f"{SWITCH}/4001"], priority=did_priority)
    return Scene(
        dataclasses.replace(
            config,
            dids={f"{SWITCH}/4001": did},
            tenants={TENANT: dataclasses.replace(config.tenants[TENANT], **tenant)},
        )
    )


@pytest.mark.parametrize(
    ("given", "priority"),
    [
        ({}, 5),
        ({"did_priority": 7}, 7),
        ({"did_priority": 2}, 5),  # at least, so it never lowers
        ({"vips": frozenset({"+8613800138000"})}, 8),
        ({"vips": frozenset({"+8613800138000"}), "vip_priority": 9}, 9),
        ({"vips": frozenset({"+8613800138000"}), "did_priority": 9}, 9),
        ({"vips": frozenset({"+8613900139000"})}, 5),
    ],
)
def test_a_special_number_and_a_special_customer_come_before_others(given: dict[str, Any], priority: int) -> None:
    """The scene's caller is 13800138000."""
    call = scene(**given).to_queue()
    assert call.wait is not None and call.wait.priority == priority


def test_a_program_may_say_so_in_attached_data() -> None:
    played = scene()
    call = played.to_queue()
    for said, priority in (("1", 8), ("true", 8), ("no", 5), ("", 5)):
        call.attached = {"vip": said}
        assert priority_of(played.state.config, call, 5) == priority
