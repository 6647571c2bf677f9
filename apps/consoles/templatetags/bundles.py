"""``{% bundle "wall" %}``: the tags that load a page's built script and styles, as Vite's manifest lists them.

Nothing inline: a strict Content-Security-Policy holds. Names carry a hash of their content, so browsers may keep them.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

FOLDER = "consoles/build"
Manifest = dict[str, dict[str, Any]]


class NotBuilt(LookupError):
    """The bundle is not there, or has no such page; the message says how to make it."""


@register.simple_tag
def bundle(entry: str) -> SafeString:
    """The page's ``src/<entry>/main.ts``: its styles, itself, and what it imports. Raises ``NotBuilt``."""
    manifest = _manifest()
    key = f"src/{entry}/main.ts"
    if key not in manifest:
        raise NotBuilt(f"the bundle has no entry {entry!r}: run `make frontend`")
    imported = _imported(manifest, key)
    styles = dict.fromkeys(file for name in [*imported, key] for file in manifest[name].get("css", []))
    links = format_html_join("\n", '<link rel="stylesheet" href="{}">', ((_url(file),) for file in styles))
    ahead = format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((_url(manifest[name]["file"]),) for name in imported)
    )
    return format_html('{}\n{}\n<script type="module" src="{}"></script>', links, ahead, _url(manifest[key]["file"]))


def _imported(manifest: Manifest, key: str) -> list[str]:
    """Chunks that the entry needs at once, deepest first; those it may load later are not here."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        for other in manifest[name].get("imports", []):
            if other not in found:
                visit(other)
                found[other] = None

    visit(key)
    return list(found)


def _url(file: str) -> str:
    return static(f"{FOLDER}/{file}")


def _manifest() -> Manifest:
    path = finders.find(f"{FOLDER}/manifest.json")
    if path is None:
        path = str(Path(settings.STATIC_ROOT) / FOLDER / "manifest.json")
    try:
        return _read(path, Path(path).stat().st_mtime_ns)
    except OSError as error:
        raise NotBuilt("the bundle is not built: run `make frontend`") from error


@lru_cache(maxsize=1)
def _read(path: str, _modified_ns: int) -> Manifest:
    manifest: Manifest = json.loads(Path(path).read_text())
    return manifest
