from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.switches.contract.rigs import EventSocketRig, ModelRig, Scene


@pytest.fixture(params=[ModelRig, EventSocketRig], ids=["model", "event_socket"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    rig = request.param(tmp_path)
    rig.start()
    try:
        yield Scene(rig)
    finally:
        rig.stop()
