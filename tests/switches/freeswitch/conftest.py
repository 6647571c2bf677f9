"""Properties are tested for what they say, not for how fast a busy machine runs them."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.switches.freeswitch.control_scene import Pair
from tests.switches.freeswitch.fakes import control

settings.register_profile("freeswitch", deadline=None)
settings.load_profile("freeswitch")


@pytest.fixture
def pair() -> Pair:
    """A control and the fake link it speaks to."""
    return control()
