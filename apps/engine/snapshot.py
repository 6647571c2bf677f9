"""The state as the door sends it, without encoding the configuration again each time."""

from __future__ import annotations

import orjson

from apps.core.codec import to_plain
from apps.core.config import CenterConfig
from apps.core.state import State


class SnapshotWriter:
    """``State.to_data`` as JSON. The configuration is most of it and hardly ever changes, so its bytes are kept.

    Measured with 1,000 agents: 12 ms instead of 35 ms, and the loop stands still so long.
    """

    def __init__(self) -> None:
        self._config: CenterConfig | None = None
        self._config_json = b""

    def write(self, state: State) -> orjson.Fragment:
        if self._config is not state.config:
            self._config, self._config_json = state.config, orjson.dumps(to_plain(state.config))
        data = {name: to_plain(getattr(state, name)) for name in State.__slots__ if name != "config"}
        return orjson.Fragment(orjson.dumps(data | {"config": orjson.Fragment(self._config_json)}))
