"""Templates to files. Everything is checked by ``spec`` and escaped here; autoescape covers ``< > & " '``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from django.template import Context, Engine

from apps.telephony.switchconfig.spec import SwitchSpec

ROOT = Path(__file__).resolve().parents[3]
# where the templates are -> where their files go below the switch's configuration directory
SOURCES = {
    ROOT / "switch_config" / "freeswitch": Path(),
    ROOT / "dialplan_templates" / "freeswitch": Path("dialplan"),
}


def render(switch: SwitchSpec) -> dict[Path, str]:
    """The switch's whole configuration: relative path -> text."""
    engine = Engine(autoescape=True, string_if_invalid="UNKNOWN_VARIABLE_%s")
    context = Context({"switch": switch})
    files: dict[Path, str] = {}
    for source, target in SOURCES.items():
        for path in sorted(source.rglob("*.xml")):
            files[target / path.relative_to(source)] = engine.from_string(path.read_text()).render(context)
    files[Path("mime.types")] = ""  # the switch warns without it; nothing here serves files over HTTP
    return files


def write(files: Mapping[Path, str], directory: Path) -> None:
    """Replace the files in ``directory``, readable by owner and group only: they hold secrets.

    Files of an earlier rendering that are gone now are removed; files that were never ours stay.
    """
    listing = directory / ".rendered"
    earlier = listing.read_text().splitlines() if listing.exists() else []
    for name in earlier:
        if Path(name) not in files and ".." not in Path(name).parts:
            (directory / name).unlink(missing_ok=True)
    for path, text in files.items():
        _replace(directory / path, text)
    _replace(listing, "".join(f"{path}\n" for path in sorted(files)))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    draft = path.with_name(f".{path.name}.new")
    draft.touch(mode=0o640)
    draft.write_text(text)
    draft.replace(path)
