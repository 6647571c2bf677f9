"""axe-core over a page: which rules of WCAG 2.2 A and AA it breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

FRONTEND = Path(__file__).resolve().parents[2] / "apps" / "consoles" / "frontend"
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """``rule: selector, …`` broken, of all of WCAG or of ``rules`` alone. Needs ``npm ci`` in frontend."""
    if not AXE.exists():
        pytest.skip("SKIPPED: axe-core is not installed (make frontend)")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())  # not a script tag: the page's policy takes none from elsewhere
    only: dict[str, Any] = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    found = page.evaluate("(only) => axe.run(document, {runOnly: only})", only)
    return [
        f"{item['id']}: {', '.join(str(node['target'][0]) for node in item['nodes'][:5])}"
        for item in found["violations"]
    ]
