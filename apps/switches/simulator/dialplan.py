"""Which actions an extension runs: the arrival ladder with its fallback, and a few for tests.

The names are those that the driver and the rendered FreeSWITCH files agree on (dialplan_templates/freeswitch).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Action = tuple[str, str]

ARRIVAL = "arrival"
CONTEXT = "trunkline"
_NUMBER = re.compile(r"^\+?[0-9*#]{1,32}$")

FALLBACK = "fallback"
FALLBACK_CONTEXT = "trunkline-fallback"
SET_AT_ARRIVAL: str = f"^^;transfer_after_bridge={ARRIVAL}:XML:{CONTEXT}"
FOR_EVERY_CALL = {
    "max_session_transfers": "10000",
    "uuid_bridge_continue_on_cancel": "true",
    "RECORD_STEREO": "true",
    "playback_terminators": "any",
}
"""Global variables, as switch_config/freeswitch/vars.xml sets them: a channel without such a variable has these."""
BREATH_MS = 60
"""Between the end of a talk and the socket: an order to hang up is on its way."""

TEST_EXTENSIONS: dict[str, tuple[Action, ...]] = {
    "park": (("answer", ""), ("park", "")),
    "echo": (("answer", ""), ("echo", "")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialplan:
    """The ladder: the socket, and while nobody answers it, music and the socket again; then the fallback.

    ``sockets`` is what the socket application dials, ``host:port[|host:port]``. ``extensions`` are fixed ones that
    go before it, by number.
    """

    sockets: str = "127.0.0.1:8084"
    rungs: int = 12
    music_ms: int = 1500
    fallback: tuple[Action, ...] = (("playback", "fallback.wav"), ("hangup", "NORMAL_CLEARING"))
    extensions: dict[str, tuple[Action, ...]] = field(default_factory=dict)

    def actions(self, destination: str, from_talk: bool) -> tuple[Action, ...]:
        fixed = self.extensions.get(destination) or TEST_EXTENSIONS.get(destination)
        if fixed is not None:
            return fixed
        if destination == FALLBACK:
            return (("multiset", "^^;transfer_after_bridge=;trunkline_fallback=true"), ("answer", ""), *self.fallback)
        dialled = f";trunkline_did={destination}" if _NUMBER.match(destination) else ""
        breath: tuple[Action, ...] = (("sleep", str(BREATH_MS)),) if from_talk else ()
        return (*breath, ("multiset", f"{SET_AT_ARRIVAL}{dialled}"), *self.ladder())

    def ladder(self) -> tuple[Action, ...]:
        socket = ("socket", f"${{trunkline_engine}}{self.sockets} async full")  # whoever leads goes first
        music = ("playback", f"{{timeout={self.music_ms}}}local_stream://default")
        return (
            socket,
            ("set", "playback_terminators=none"),
            ("answer", ""),
            *((music, socket) * self.rungs),
            ("transfer", f"{FALLBACK} XML {FALLBACK_CONTEXT}"),
        )
