"""The codes of every refusal that the core, the websockets or the interface make, as the sources have them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

APPS = Path(__file__).resolve().parents[1] / "apps"


def refused(*apps: str) -> Iterator[str]:
    for source in (path for app in apps for path in (APPS / app).rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Refusal"
                and node.args
            ):
                code = node.args[0]
                if isinstance(code, ast.Constant):  # else it is handed on from another refusal
                    yield str(code.value)
