"""Walks a caller through a flow: pure, one signal at a time.

``advance`` takes the node's answer and follows ports until a node waits for something or the flow is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from apps.core.ivr.actions import Action, HangUp, Play
from apps.core.ivr.context import KEY, Context, Node, Step
from apps.core.ivr.nodes import NODES
from apps.core.ivr.position import IvrPosition

MAX_STEPS = 500
MAX_STEPS_BETWEEN_WAITS = 50
MAX_VISITS = 20
PROMPT_GRACE_MS = 3_000
"""So long after it should be over, a prompt whose end nobody reports is: the call may first have to be answered."""
GRACE_STEPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One node passed (``port`` set) or reached (``port`` empty), with what it asks for."""

    node: str
    port: str
    digits: str
    position: IvrPosition
    actions: tuple[Action, ...]
    over: bool


def start(ctx: Context, lang: str) -> Iterator[Left]:
    first = str(ctx.flow.document["start"])
    yield from _enter(ctx, IvrPosition(node=first, lang=lang))


def restart(ctx: Context, position: IvrPosition) -> Iterator[Left]:
    """The node again from its prompt, attempts unchanged: after a gap in control."""
    yield from _enter(ctx, replace(position, play=None, deadline_ms=None, digits=""), again=True)


def played(ctx: Context, position: IvrPosition) -> Iterator[Left]:
    yield from _signal(ctx, position, "played")


def digit(ctx: Context, position: IvrPosition, key: str) -> Iterator[Left]:
    yield from _signal(ctx, position, "digit", key)


def timed_out(ctx: Context, position: IvrPosition) -> Iterator[Left]:
    """The caller said nothing in time; or a prompt never ended, which counts as ended."""
    name = "played" if position.phase == "playing" else "timed_out"
    yield from _signal(ctx, replace(position, deadline_ms=None), name)


def prompt_began_before(position: IvrPosition, at_ms: int) -> bool:
    """A prompt runs, as far as we know, and did so before ``at_ms``."""
    return position.phase == "playing" and position.began_ms is not None and position.began_ms < at_ms


def leave(ctx: Context, position: IvrPosition, port: str) -> Iterator[Left]:
    """Go on from a node that waited for something outside the flow (a queue)."""
    yield from _follow(ctx, Step(position=position, port=port))


def wired(ctx: Context, position: IvrPosition, port: str) -> bool:
    node = ctx.flow.document["nodes"].get(position.node)
    return node is not None and port in node.get("on", {})


def _signal(ctx: Context, position: IvrPosition, name: str, *args: str) -> Iterator[Left]:
    node: Node | None = ctx.flow.document["nodes"].get(position.node)
    answer = getattr(NODES[node["type"]], name, None) if node is not None else None
    if answer is not None:
        yield from _follow(ctx, answer(ctx, node, position, *args))


def _enter(ctx: Context, position: IvrPosition, *, again: bool = False) -> Iterator[Left]:
    node: Node | None = ctx.flow.document["nodes"].get(position.node)
    if node is None or node.get("type") not in NODES:
        yield from _handler(ctx, position, "error")
        return
    if not again:
        visits = position.visits.get(position.node, 0) + 1
        position = replace(position, visits={**position.visits, position.node: visits})
        if visits > MAX_VISITS:
            yield from _handler(ctx, position, "limit")
            return
    yield from _follow(ctx, NODES[node["type"]].enter(ctx, node, position))


def _follow(ctx: Context, step: Step) -> Iterator[Left]:
    """Down the ports until a node stays. Every wait resets ``MAX_STEPS_BETWEEN_WAITS`` by ending this generator."""
    for _ in range(MAX_STEPS_BETWEEN_WAITS):
        here = step.position
        if not step.port:
            yield _left(here.node, step, _watched(ctx, step))
            return
        target = _target(ctx.flow.document["nodes"][here.node], step.port)
        allowed = MAX_STEPS + (GRACE_STEPS if here.handler else 0)
        if target is None or here.steps >= allowed:
            yield from _handler(ctx, here, "error" if target is None else "limit")
            return
        visits = here.visits.get(target, 0) + 1
        position = replace(
            here, node=target, phase="playing", play=None, attempts=0, repeats=0, deadline_ms=None,
            steps=here.steps + 1, visits={**here.visits, target: visits},
        )  # fmt: skip
        yield _left(here.node, step, position)
        node: Node | None = ctx.flow.document["nodes"].get(target)
        if node is None or node.get("type") not in NODES or visits > MAX_VISITS:
            yield from _handler(ctx, position, "limit" if node is not None and visits > MAX_VISITS else "error")
            return
        step = NODES[node["type"]].enter(ctx, node, position)
    yield from _handler(ctx, step.position, "limit")


def _watched(ctx: Context, step: Step) -> IvrPosition:
    """A prompt that begins gets a deadline from its length."""
    sounds = next((action.sounds for action in step.actions if isinstance(action, Play)), None)
    if sounds is None:
        return step.position
    ends_ms = ctx.now_ms + ctx.lasts_ms(sounds) + PROMPT_GRACE_MS
    return replace(step.position, began_ms=ctx.now_ms, deadline_ms=ends_ms)


def _target(node: Node, port: str) -> str | None:
    target = node["keys"].get(port.removeprefix(KEY)) if port.startswith(KEY) else node.get("on", {}).get(port)
    return str(target) if target is not None else None


def _handler(ctx: Context, position: IvrPosition, name: str) -> Iterator[Left]:
    """The flow's own handler, once; if that fails too, goodbye."""
    target = ctx.flow.document.get("handlers", {}).get(name)
    node = ctx.flow.document["nodes"].get(target) if target else None
    if position.handler or node is None or node.get("type") not in NODES:
        step = Step(position=replace(position, play=None), actions=(HangUp(()),), over=True)
        yield replace(_left(position.node, step, step.position), port=name)
        return
    inside = replace(
        position, node=str(target), handler=True, play=None, deadline_ms=None, attempts=0, repeats=0, digits="",
        visits={}, steps=position.steps,
    )  # fmt: skip
    yield Left(node=position.node, port=name, digits="", position=inside, actions=(), over=False)
    yield from _follow(ctx, NODES[node["type"]].enter(ctx, node, inside))


def _left(node: str, step: Step, position: IvrPosition) -> Left:
    return Left(node=node, port=step.port, digits=step.digits, position=position, actions=step.actions, over=step.over)
