"""axe-core over a page: which rules of WCAG 2.2 A and AA it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

FRONTEND = Path(__file__).resolve().parents[2] / "apps" / "consoles" / "frontend"
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """``rule: selector, …`` for each rule that is broken. Needs ``npm ci`` in the front-end's folder."""
    if not AXE.exists():
        pytest.skip("SKIPPED: axe-core is not installed (make frontend)")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())  # not a script tag: the page's policy takes none from elsewhere
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", TAGS)
    return [
        f"{item['id']}: {', '.join(str(node['target'][0]) for node in item['nodes'][:5])}"
        for item in found["violations"]
    ]
