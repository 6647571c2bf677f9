"""A choice by key. No key and a wrong key use up a retry; then ``no_input``/``no_match`` if wired, else ``fail``."""

from __future__ import annotations

from dataclasses import replace

from apps.core.ivr.actions import Play
from apps.core.ivr.context import KEY, Context, Node, Step
from apps.core.ivr.position import IvrPosition

REPEAT = "@repeat"
MAX_REPEATS = 3


def ports(node: Node) -> tuple[str, ...]:
    """Keys lead to nodes directly, so they are no ports here."""
    wired = node.get("on", {})
    return (*(name for name in ("no_input", "no_match") if name in wired), "fail")


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    if position.digits:
        return _decide(ctx, node, position)
    return _ask(ctx, node, position, "say")


def played(ctx: Context, node: Node, position: IvrPosition) -> Step:
    wait_ms = node.get("inter_ms", 2000) if position.digits else node.get("first_ms", 5000)
    return _wait(ctx, position, int(wait_ms))


def digit(ctx: Context, node: Node, position: IvrPosition, key: str) -> Step:
    return _decide(ctx, node, replace(position, digits=position.digits + key, play=None))


def timed_out(ctx: Context, node: Node, position: IvrPosition) -> Step:
    """A key that could have become a longer one stands for itself; nothing pressed is a failed try."""
    if position.digits in node["keys"]:
        return _choose(ctx, node, position, position.digits)
    return _failed(ctx, node, position, "no_match" if position.digits else "no_input")


def _decide(ctx: Context, node: Node, position: IvrPosition) -> Step:
    keys, typed = node["keys"], position.digits
    longer = any(key != typed and key.startswith(typed) for key in keys)
    if longer:
        return _wait(ctx, position, int(node.get("inter_ms", 2000)))
    if typed in keys:
        return _choose(ctx, node, position, typed)
    # Type-ahead may hold more than this menu's key: take the longest head that is one.
    head = next((typed[:size] for size in range(len(typed) - 1, 0, -1) if typed[:size] in keys), "")
    if head:
        return _choose(ctx, node, position, head)
    return _failed(ctx, node, position, "no_match")


def _choose(ctx: Context, node: Node, position: IvrPosition, key: str) -> Step:
    rest = position.digits[len(key) :]
    if node["keys"][key] != REPEAT:
        return Step(position=replace(position, digits=rest), port=f"{KEY}{key}", digits=key)
    if position.repeats >= MAX_REPEATS:
        return _failed(ctx, node, position, "no_match")
    return _ask(ctx, node, replace(position, digits="", repeats=position.repeats + 1), "say")


def _failed(ctx: Context, node: Node, position: IvrPosition, port: str) -> Step:
    attempts = position.attempts + 1
    position = replace(position, digits="", attempts=attempts)
    if attempts > int(node.get("retries", 2)):
        return Step(position=position, port=port if port in node.get("on", {}) else "fail")
    return _ask(ctx, node, position, "retry_say" if node.get("retry_say") else "say")


def _ask(ctx: Context, node: Node, position: IvrPosition, say: str) -> Step:
    sounds = ctx.sounds(node.get(say, ()), position.lang)
    if not sounds:
        return _wait(ctx, position, int(node.get("first_ms", 5000)))
    play = ctx.new_play()
    return Step(
        position=replace(position, phase="playing", play=play, deadline_ms=None),
        actions=(Play(play, sounds, bool(node.get("barge", True))),),
    )


def _wait(ctx: Context, position: IvrPosition, wait_ms: int) -> Step:
    return Step(position=replace(position, phase="waiting", play=None, deadline_ms=ctx.now_ms + wait_ms))
