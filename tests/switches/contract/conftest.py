from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.switch_live.driver_rig import Rig, why_not
from tests.switches.contract.live import LiveRig
from tests.switches.contract.rigs import EventSocketRig, ModelRig, Scene


@pytest.fixture(scope="session")
def freeswitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A real one, started when first asked for."""
    if missing := why_not():
        pytest.skip(missing)
    place = Rig(tmp_path_factory.mktemp("freeswitch"))
    try:
        place.start()
        place.start_phones()
        yield place
    finally:
        place.stop()


@pytest.fixture(
    params=[
        pytest.param("model", id="model"),
        pytest.param("event_socket", id="event_socket"),
        pytest.param("freeswitch", id="freeswitch", marks=pytest.mark.live),
    ]
)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    rig: ModelRig | EventSocketRig | LiveRig
    if request.param == "model":
        rig = ModelRig(tmp_path)
    elif request.param == "event_socket":
        rig = EventSocketRig(tmp_path)
    else:
        rig = LiveRig(request.getfixturevalue("freeswitch"))
    rig.start()
    try:
        yield Scene(rig)
    finally:
        rig.stop()
