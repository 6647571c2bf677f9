"""Node types, one a file. A node answers what happens with a ``Step``; it does nothing itself.

Each module has some of: ``enter(ctx, node, position)``, ``played(...)``, ``digit(..., digit)``, ``timed_out(...)``,
and ``PORTS(node)``, the ports it may leave by.
"""

from __future__ import annotations

from types import ModuleType

from apps.core.ivr.nodes import answer, callback, enqueue, hangup, hours, language, menu, play, transfer

NODES: dict[str, ModuleType] = {
    "answer": answer,
    "callback": callback,
    "enqueue": enqueue,
    "hangup": hangup,
    "hours": hours,
    "language": language,
    "menu": menu,
    "play": play,
    "transfer": transfer,
}
