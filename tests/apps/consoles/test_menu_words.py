"""A call's page says in words which way a caller left a menu's node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from apps.core.ivr.nodes import NODES

WORDS = Path(__file__).resolve().parents[3] / "apps" / "consoles" / "frontend" / "src" / "calls" / "words.ts"
HANDLERS = ("error", "limit")  # of the flow itself (apps/core/ivr/interpreter.py)


class Wired(dict[str, str]):
    """Every port leads somewhere."""

    def __contains__(self, port: object) -> bool:
        return True


def ways_out() -> Iterator[str]:
    yield from HANDLERS
    for kind, module in NODES.items():
        yield from module.ports({"type": kind, "keys": {}, "on": Wired()})


def test_every_way_out_of_a_node_has_a_word() -> None:
    """That it has one in either language is the front end's own test."""
    words = re.search(r"const ports = dictionary\(\s*\{(.*?)\}", WORDS.read_text(encoding="utf-8"), re.DOTALL)
    assert words is not None
    known = set(re.findall(r"(\w+): \"", words[1]))
    assert set(ways_out()) and set(ways_out()) <= known
