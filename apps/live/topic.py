"""A topic: a view that pages follow as a snapshot and numbered deltas. Pure.

``apply_patch(snapshot.data, delta.patch)`` for each delta in order gives exactly the newest view; a page that misses
a number asks for a new snapshot.
"""

from __future__ import annotations

from typing import Any

from apps.live.views_of_state import Entity, View

Patch = dict[str, dict[str, Entity | None]]
"""``{kind: {id: entity, or None when it is gone}}``; whole entities, only those that changed."""


def diff(old: View, new: View) -> Patch:
    """What turns ``old`` into ``new``."""
    patch: Patch = {}
    for kind in old.keys() | new.keys():
        before, after = old.get(kind, {}), new.get(kind, {})
        changes: dict[str, Entity | None] = {key: item for key, item in after.items() if before.get(key) != item}
        changes.update(dict.fromkeys(before.keys() - after.keys()))
        if changes:
            patch[kind] = changes
    return patch


def apply_patch(view: View, patch: Patch) -> View:
    """A new view; neither argument is changed."""
    result = {kind: dict(items) for kind, items in view.items()}
    for kind, changes in patch.items():
        items = result.setdefault(kind, {})
        for key, item in changes.items():
            if item is None:
                items.pop(key, None)
            else:
                items[key] = item
    return result


class Topic:
    """The newest view and its number. ``epoch`` tells a page that numbers of another run mean nothing here."""

    def __init__(self, name: str, epoch: str) -> None:
        self.name = name
        self.epoch = epoch
        self.seq = 0
        self.view: View = {}

    def snapshot(self) -> dict[str, Any]:
        return {"type": "snapshot", "topic": self.name, "epoch": self.epoch, "seq": self.seq, "data": self.view}

    def advance(self, view: View) -> dict[str, Any] | None:
        """The delta to ``view``, or None when nothing changed."""
        patch = diff(self.view, view)
        if not patch:
            return None
        self.view = view
        self.seq += 1
        return {"type": "delta", "topic": self.name, "epoch": self.epoch, "seq": self.seq, "patch": patch}
