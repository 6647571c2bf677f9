"""Every string of the server's that people read has a Chinese translation: found by reading the sources."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.utils.translation.template import templatize
from django.utils.translation.trans_real import DjangoTranslation

ROOT = Path(__file__).resolve().parents[2]
# Whose pages people see in ours.
THEIRS = [
    "unfold", "auditlog", "import_export", "allauth.account", "allauth.mfa", "allauth.usersessions",
    "django.contrib.admin", "django.contrib.auth",
]  # fmt: skip
# function -> how its first arguments read: context, text, plural
SHAPES = {
    "_": ("text",), "gettext": ("text",), "gettext_lazy": ("text",), "gettext_noop": ("text",),
    "ngettext": ("text", "plural"), "ngettext_lazy": ("text", "plural"),
    "pgettext": ("context", "text"), "pgettext_lazy": ("context", "text"),
    "npgettext": ("context", "text", "plural"), "npgettext_lazy": ("context", "text", "plural"),
}  # fmt: skip
LITERAL = r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
CALL = re.compile(rf"\b(n?p?gettext|_)\(\s*{LITERAL}(?:\s*,\s*{LITERAL})?(?:\s*,\s*{LITERAL})?")


class Text(NamedTuple):
    where: str
    text: str
    context: str = ""
    plural: str = ""

    def key(self) -> str:
        return f"{self.context}\x04{self.text}" if self.context else self.text


def python_texts(path: Path) -> Iterator[Text]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        shape = SHAPES.get(name, ())
        values = [arg.value for arg in node.args[: len(shape)] if isinstance(arg, ast.Constant)]
        if shape and len(values) == len(shape) and all(isinstance(value, str) for value in values):
            yield Text(f"{path}:{node.lineno}", **dict(zip(shape, values, strict=True)))


def template_texts(path: Path) -> Iterator[Text]:
    """``templatize`` is what makemessages reads templates with: it leaves only the calls."""
    for match in CALL.finditer(templatize(path.read_text())):
        shape = SHAPES[match[1]]
        values = [ast.literal_eval(item) for item in match.groups()[1:] if item is not None]
        named = dict(zip(shape, values, strict=False))
        if named.get("text"):
            yield Text(str(path), **named)


def texts() -> list[Text]:
    return texts_in(ROOT / "apps")


def texts_in(folder: Path) -> list[Text]:
    found: list[Text] = []
    for path in sorted(folder.rglob("*.py")):
        if not {"migrations", "node_modules"} & set(path.parts):
            found += python_texts(path)
    for path in sorted(folder.rglob("templates/**/*")):
        if path.suffix in (".html", ".txt", ".svg"):
            found += template_texts(path)
    return found


def missing(found: list[Text]) -> list[Text]:
    catalogue = DjangoTranslation("zh-hans")._catalog
    return [
        item
        for item in found
        if (catalogue.get((item.key(), 0), "") if item.plural else catalogue.get(item.key(), "")) == ""
    ]


def test_every_string_is_in_chinese() -> None:
    """What msgfmt left out, because it is fuzzy or empty, is missing here too: these are the compiled catalogues."""
    assert len(texts()) > 500, "the sources were read"
    gone = missing(texts())
    assert not gone, "\n".join(f"{item.where}: {item.context and item.context + ' | '}{item.text!r}" for item in gone)


@pytest.mark.parametrize("name", THEIRS)
def test_what_libraries_show_in_our_pages_is_in_chinese_too(name: str) -> None:
    """Their catalogues, and ours for what those lack (``apps/accounts/locale``)."""
    (folder,) = importlib.import_module(name).__path__
    found = texts_in(Path(folder))
    gone = {item.text for item in missing(found)}
    assert found and not gone


def test_a_string_that_is_not_translated_would_be_found(tmp_path: Path) -> None:
    source = ROOT / "apps/accounts/no_such_file.py"
    found = [Text(str(source), "This sentence is in no catalogue"), Text(str(source), "Sign in")]
    assert [item.text for item in missing(found)] == ["This sentence is in no catalogue"]


def test_placeholders_survive_translation() -> None:
    """A lost ``%(name)s`` is an error page for Chinese readers only."""
    catalogue = DjangoTranslation("zh-hans")._catalog
    broken = []
    for item in texts():
        chinese = catalogue.get((item.key(), 0), "") if item.plural else catalogue.get(item.key(), "")
        wanted = set(re.findall(r"%\(\w+\)[sd]|(?<!\{)\{\w+\}", item.plural or item.text))
        if set(re.findall(r"%\(\w+\)[sd]|(?<!\{)\{\w+\}", str(chinese))) - wanted or (
            not item.plural and wanted - set(re.findall(r"%\(\w+\)[sd]|(?<!\{)\{\w+\}", str(chinese)))
        ):
            broken.append(f"{item.where}: {item.text!r} → {chinese!r}")
    assert not broken, "\n".join(broken)
