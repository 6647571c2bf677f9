"""Choose a language by key; silence or another key keeps the caller's own or the default."""

from __future__ import annotations

from dataclasses import replace

from apps.core.ivr.actions import Play
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.position import IvrPosition


def ports(node: Node) -> tuple[str, ...]:
    return ("ok",)


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    if position.digits:
        return _decide(node, position)
    sounds = ctx.sounds(node.get("say", ()), position.lang)
    if not sounds:
        return played(ctx, node, position)
    play = ctx.new_play()
    return Step(position=replace(position, phase="playing", play=play), actions=(Play(play, sounds, True),))


def played(ctx: Context, node: Node, position: IvrPosition) -> Step:
    until_ms = ctx.now_ms + int(node.get("first_ms", 5000))
    return Step(position=replace(position, phase="waiting", play=None, deadline_ms=until_ms))


def digit(ctx: Context, node: Node, position: IvrPosition, key: str) -> Step:
    return _decide(node, replace(position, digits=position.digits + key))


def timed_out(ctx: Context, node: Node, position: IvrPosition) -> Step:
    return Step(position=position, port="ok")


def _decide(node: Node, position: IvrPosition) -> Step:
    key, rest = position.digits[0], position.digits[1:]
    lang = str(node["keys"].get(key, position.lang))
    return Step(position=replace(position, lang=lang, digits=rest), port="ok", digits=key)
