"""Checks a flow document (ivr/1) before it may be published: every problem with its node, its field and the fix.

A document without problems cannot leave a caller without a way on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.ivr.nodes import NODES
from apps.core.ivr.nodes.enqueue import SKILL
from apps.core.texts import NUMBER

SCHEMA = "ivr/1"
MAX_NODES = 400
MAX_SAY = 20
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KEY = re.compile(r"[0-9*#]{1,4}")
_SPEAKS = frozenset({"play", "menu", "language", "callback"})
_WAITS_FOR_CALLER = frozenset({"menu", "language", "enqueue", "callback"})

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    node: str
    field: str
    message: str


def lint(
    document: Any,
    *,
    queues: Collection[str],
    calendars: Collection[str],
    prompts: Collection[str] = (),
) -> list[Problem]:
    """All problems of ``document``, which may be any JSON.

    ``prompts`` are codes of prompts that exist outside it, in every language.
    """
    shape = list(_shape(document))
    if shape:
        return shape
    found = [*_start(document), *_handlers(document)]
    for name, node in document["nodes"].items():
        found += _node(document, name, node, queues, calendars, prompts)
    if not found:
        found += [*_unreachable(document), *_silent_cycles(document), *_media_before_answer(document)]
    return found


def _shape(document: Any) -> Iterator[Problem]:
    """What must hold before anything else can be looked at: which value is of which kind. Takes any JSON."""
    if not isinstance(document, Mapping):
        yield Problem("E00", "", "", "the flow is not an object")
        return
    if document.get("schema") != SCHEMA:
        yield Problem("E00", "", "schema", f'"schema" must be "{SCHEMA}"')
    langs = document.get("langs")
    if not isinstance(langs, list) or not langs or not all(isinstance(one, str) for one in langs):
        yield Problem("E00", "", "langs", '"langs" must list at least one language')
    elif document.get("default_lang") not in langs:
        yield Problem("E00", "", "default_lang", '"default_lang" must be one of "langs"')
    if not isinstance(document.get("start"), str):
        yield Problem("E00", "", "start", '"start" must be the name of a node')
    if not _is_texts(document.get("handlers") or {}):
        yield Problem("E00", "", "handlers", '"handlers" must be an object of node names')
    prompts = document.get("prompts") or {}
    if not isinstance(prompts, Mapping) or not all(_is_texts(texts) for texts in prompts.values()):
        yield Problem("E00", "", "prompts", '"prompts" must be an object of {"zh": "<text>", "en": "<text>"}')
    nodes = document.get("nodes")
    if not isinstance(nodes, Mapping) or not nodes or len(nodes) > MAX_NODES:
        yield Problem("E00", "", "nodes", f"a flow has 1 to {MAX_NODES} nodes")
        return
    for name, node in nodes.items():
        if not _ID.fullmatch(str(name)):
            yield Problem("E00", str(name), "id", "a node id is a-z, 0-9 and _, up to 40 characters")
        yield from _node_shape(str(name), node)


def _node_shape(name: str, node: Any) -> Iterator[Problem]:
    kind = node.get("type") if isinstance(node, Mapping) else None
    if not isinstance(kind, str) or kind not in NODES:
        yield Problem("E00", name, "type", f"unknown node type; known are {', '.join(sorted(NODES))}")
        return
    for part in ("on", "keys"):
        if not _is_texts(node.get(part, {})):
            yield Problem("E00", name, part, f'"{part}" must be an object of names')
    for part in ("say", "retry_say"):
        if not isinstance(node.get(part, []), list):
            yield Problem("E00", name, part, f'"{part}" must be a list')
    for part in ("queue", "schedule", "to", "typeahead"):
        if not isinstance(node.get(part, ""), str):
            yield Problem("E00", name, part, f'"{part}" must be text')
    for part in ("barge", "secret"):
        if not isinstance(node.get(part, False), bool):
            yield Problem("E00", name, part, f'"{part}" must be true or false')
    if node_title(node) != node.get("title", ""):
        yield Problem("E00", name, "title", '"title" must be text, or an object with one text a language')


def _is_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())


def node_title(node: Document) -> str | dict[str, str]:
    """What people are shown instead of the node's id: one text for all, or one a language (``zh``, ``en``)."""
    title = node.get("title", "")
    if isinstance(title, Mapping):
        return {str(lang): str(text) for lang, text in title.items()}
    return str(title)


def _start(document: Document) -> Iterator[Problem]:
    if document.get("start") not in document["nodes"]:
        yield Problem("E03", "", "start", '"start" names no node')


def _handlers(document: Document) -> Iterator[Problem]:
    for name, target in (document.get("handlers") or {}).items():
        if target not in document["nodes"]:
            yield Problem("E03", "", f"handlers.{name}", f'handler "{name}" leads to no node')


def _node(
    document: Document,
    name: str,
    node: Document,
    queues: Collection[str],
    calendars: Collection[str],
    prompts: Collection[str],
) -> Iterator[Problem]:
    yield from _ports(document, name, node)
    yield from _says(document, name, node, prompts)
    yield from _numbers(name, node)
    kind = node["type"]
    if kind in ("menu", "language"):
        yield from _keys(document, name, node)
    if kind in ("enqueue", "callback"):
        yield from _queue(name, node, queues)
    if kind == "hours" and str(node.get("schedule", "")) not in calendars:
        yield Problem("E14", name, "schedule", f'no calendar "{node.get("schedule", "")}"')
    if kind == "transfer" and not NUMBER.fullmatch(str(node.get("to", ""))):
        yield Problem("E14", name, "to", "not a telephone number")


def _queue(name: str, node: Document, queues: Collection[str]) -> Iterator[Problem]:
    if str(node.get("queue", "")) not in queues:
        yield Problem("E14", name, "queue", f'no queue "{node.get("queue", "")}"')
    skills = node.get("skills", [])
    if not isinstance(skills, list) or not all(isinstance(one, str) and SKILL.fullmatch(one) for one in skills):
        yield Problem(
            "E00", name, "skills", "a list of skills like lang:zh, net=3, or net=3? where it is only preferred"
        )


def _ports(document: Document, name: str, node: Document) -> Iterator[Problem]:
    wired = node.get("on", {})
    for port in NODES[node["type"]].ports(node):
        if port not in wired:
            yield Problem("E02", name, f"on.{port}", f'port "{port}" leads nowhere')
    for port, target in wired.items():
        if target not in document["nodes"]:
            yield Problem("E03", name, f"on.{port}", f'"{target}" is no node')


def _keys(document: Document, name: str, node: Document) -> Iterator[Problem]:
    keys = node.get("keys", {})
    if not keys:
        yield Problem("E02", name, "keys", "no key leads anywhere")
    for key, target in keys.items():
        if not _KEY.fullmatch(str(key)):
            yield Problem("E00", name, f"keys.{key}", "a key is 1 to 4 of 0-9 * #")
        elif node["type"] == "language" and len(str(key)) > 1:
            yield Problem("E00", name, f"keys.{key}", "a language is chosen by one key")
        elif node["type"] == "language" and target not in document["langs"]:
            yield Problem("E03", name, f"keys.{key}", f'"{target}" is no language of this flow')
        elif node["type"] == "menu" and target != "@repeat" and target not in document["nodes"]:
            yield Problem("E03", name, f"keys.{key}", f'"{target}" is no node')


def _says(document: Document, name: str, node: Document, prompts: Collection[str]) -> Iterator[Problem]:
    items = [*node.get("say", []), *(node.get("retry_say") or [])]
    if len(items) > MAX_SAY:
        yield Problem("E00", name, "say", f"at most {MAX_SAY} prompts")
    texts = document.get("prompts") or {}
    for item in items:
        code = item.get("p") if isinstance(item, Mapping) else None
        if not isinstance(code, str):
            yield Problem("E04", name, "say", 'a prompt item is {"p": "<prompt>"}')
        elif code not in prompts:
            missing = [lang for lang in document["langs"] if not (texts.get(code) or {}).get(lang)]
            if missing:
                yield Problem("E04", name, "say", f'prompt "{code}" lacks text in {", ".join(missing)}')


_LIMITS: dict[str, tuple[int, int]] = {
    "retries": (0, 5),
    "first_ms": (1000, 60_000),
    "inter_ms": (500, 10_000),
    "repeat": (1, 5),
    "max_wait_s": (1, 7200),
    "priority": (0, 9),
}


def _numbers(name: str, node: Document) -> Iterator[Problem]:
    for field, (low, high) in _LIMITS.items():
        value = node.get(field)
        if value is not None and (type(value) is not int or not low <= value <= high):
            yield Problem("E00", name, field, f"{field} must be a whole number from {low} to {high}")


def _targets(node: Document) -> Iterator[str]:
    yield from node.get("on", {}).values()
    if node["type"] == "menu":
        yield from (target for target in node["keys"].values() if target != "@repeat")


def _reached(document: Document, start: Collection[str]) -> set[str]:
    seen: set[str] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(_targets(document["nodes"][name]))
    return seen


def _unreachable(document: Document) -> Iterator[Problem]:
    starts = [document["start"], *(document.get("handlers") or {}).values()]
    for name in sorted(document["nodes"].keys() - _reached(document, starts)):
        yield Problem("E01", name, "", "no way leads here")


def _silent_cycles(document: Document) -> Iterator[Problem]:
    """A circle in which the caller is never asked anything would run for ever."""
    nodes = document["nodes"]
    silent = {name for name, node in nodes.items() if node["type"] not in _WAITS_FOR_CALLER}
    for name in sorted(silent):
        pending, seen = [target for target in _targets(nodes[name]) if target in silent], set()
        while pending:
            here = pending.pop()
            if here == name:
                yield Problem("E07", name, "on", "a circle without a question to the caller")
                return
            if here not in seen:
                seen.add(here)
                pending.extend(target for target in _targets(nodes[here]) if target in silent)


def _media_before_answer(document: Document) -> Iterator[Problem]:
    """Walk from the start without passing an ``answer`` node: nothing met on the way may speak."""
    nodes = document["nodes"]
    pending, seen = [document["start"]], set()
    while pending:
        name = pending.pop()
        if name in seen or nodes[name]["type"] == "answer":
            continue
        seen.add(name)
        if nodes[name]["type"] in _SPEAKS or nodes[name].get("say"):
            yield Problem("E10", name, "say", 'plays before the call is answered; put an "answer" node first')
        pending.extend(_targets(nodes[name]))
