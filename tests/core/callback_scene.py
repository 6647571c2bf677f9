"""A centre whose sales queue calls back, and what people do there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.core import config as cfg
from apps.core import events as e
from apps.core.calls.model import Call
from tests.core.scene import SWITCH, TENANT, Scene, center_config

PHRASES = {
    "zh": {
        "callback.booked": ("booked.wav",), "callback.confirm": ("on.wav",), "callback.keys": ("keys.wav",),
        "callback.number": ("type.wav",), "callback.invalid": ("invalid.wav",), "callback.already": ("already.wav",),
        "callback.greeting": ("hello.wav",), "callback.offer": ("offer.wav",),
        **{f"digit.{digit}": (f"{digit}.wav",) for digit in range(10)},
    }
}  # fmt: skip
CUSTOMER = "13800138000"


def scene_of(*, dialing: cfg.DialPolicy | None = None, life: dict[str, Any] | None = None, **offer: Any) -> Scene:
    base = center_config()
    queue = cfg.QueueLife(callback=cfg.CallbackOffer(**offer), **(life or {}))
    return Scene(
        replace(
            base,
            queues={**base.queues, "sales": replace(base.queues["sales"], life=queue)},
            trunks={"t1": replace(base.trunks["t1"], caller_number="4001")},
            tenants={TENANT: replace(base.tenants[TENANT], dialing=dialing or cfg.DialPolicy())},
            phrases=PHRASES,
            sound_ms={f"{name}.wav": 2_000 for name in ("booked", "on", "keys", "type", *range(10))},
        )
    )


def keys(scene: Scene, call: Call, pressed: str) -> None:
    for key in pressed:
        scene.press(call, key)


def booked(scene: Scene, leg: str = "cust1", pressed: str = "11") -> Call:
    """From the queue, by keys, and let go."""
    call = scene.to_queue(leg)
    keys(scene, call, pressed)
    assert call.callback is not None
    if call.callback.play is not None:
        scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=call.callback.play, outcome=e.PlayOutcome.DONE))
    scene.hang_up(leg)
    assert call.callback.state == "booked" and not call.legs
    return call


def agent_answers(scene: Scene, call: Call) -> str:
    assert call.offer is not None
    leg = call.offer.leg
    scene.feed(e.LegRinging(switch=SWITCH, leg=leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    return leg


def customer_answers(scene: Scene, call: Call) -> None:
    scene.feed(e.LegRinging(switch=SWITCH, leg=call.leg))
    scene.feed(e.LegAnswered(switch=SWITCH, leg=call.leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=call.leg))


def ask(scene: Scene, number: str = CUSTOMER, **fields: Any) -> str:
    scene.serial += 1
    cmd_id = f"web{scene.serial}"
    values = {"tenant": TENANT, "queue": "sales", **fields}
    scene.feed(e.CallbackRequested(cmd_id=cmd_id, actor="api", number=number, **values))
    return cmd_id
