"""The pages' built scripts: loaded without anything inline, small, and exactly what their sources build to."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template

from apps.consoles.templatetags import bundles

CONSOLES = Path(__file__).resolve().parents[3] / "apps" / "consoles"
BUILT = CONSOLES / "static" / "consoles" / "build"
OLDEST_NODE = (20, 19)
MAX_GZIPPED = 200_000  # bytes a page loads before it works
PAGES = [path.parent.name for path in sorted((CONSOLES / "frontend" / "src").glob("*/main.ts"))]


def tags(entry: str) -> str:
    return Template("{% load bundles %}{% bundle entry %}").render(Context({"entry": entry}))


@pytest.mark.parametrize("entry", PAGES)
def test_a_page_loads_files_that_are_there_and_nothing_inline(entry: str) -> None:
    markup = tags(entry)
    files = re.findall(r'(?:src|href)="/static/consoles/build/([^"]+)"', markup)
    assert files and all((BUILT / file).is_file() for file in files)
    assert len(files) == markup.count("src=") + markup.count("href=")
    assert re.findall(r"<script[^>]*>([^<]*)", markup) == [""] and "<style" not in markup and " style=" not in markup


@pytest.mark.parametrize("entry", PAGES)
def test_a_page_is_small(entry: str) -> None:
    files = set(re.findall(r'/static/consoles/build/([^"]+)"', tags("shell") + tags(entry)))
    gzipped = sum(len(gzip.compress((BUILT / file).read_bytes(), 9)) for file in files)
    assert gzipped <= MAX_GZIPPED, f"{entry}: {gzipped} bytes"


def test_what_is_not_built_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    with pytest.raises(bundles.NotBuilt, match="make frontend"):
        tags("nowhere")
    settings.STATIC_ROOT = tmp_path
    monkeypatch.setattr(bundles.finders, "find", lambda path: None)
    with pytest.raises(bundles.NotBuilt, match="make frontend"):
        tags("shell")


def test_names_change_with_content() -> None:
    manifest = json.loads((BUILT / "manifest.json").read_text())
    names = {name for item in manifest.values() for name in (item["file"], *item.get("css", []))}
    assert all(re.search(r"-[\w-]{8}\.(js|css)$", name) for name in names)
    assert names | {"manifest.json"} == {path.name for path in BUILT.iterdir()}, "a file that no manifest names"


def test_the_bundle_is_what_its_sources_build_to(tmp_path: Path) -> None:
    """Byte for byte, with the checks and the scripts' own tests on the way."""
    _need_node()
    copy = tmp_path / "apps" / "consoles" / "frontend"
    shutil.copytree(CONSOLES / "frontend", copy, ignore=shutil.ignore_patterns("node_modules"))
    for command in (["ci", "--no-audit", "--no-fund"], ["run", "check"], ["test"], ["run", "build"]):
        done = subprocess.run(["npm", *command], cwd=copy, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"npm {' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    built = copy.parent / "static" / "consoles" / "build"
    assert _contents(built) == _contents(BUILT), "run `make frontend` and commit what it built"


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _need_node() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("SKIPPED: no Node on this machine: the bundle was not rebuilt")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    found = tuple(int(part) for part in version.strip().removeprefix("v").split(".")[:2])
    if found < OLDEST_NODE:
        pytest.skip(f"SKIPPED: Node {version.strip()} is older than 20.19: the bundle was not rebuilt")
