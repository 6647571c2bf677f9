"""Who else must learn of newly stored facts, in the same transaction: what they write is there exactly when history is.

Apps that stand above this one register in their ``AppConfig.ready``. A follower writes a few rows and nothing else; it
must not wait for anything but PostgreSQL. What it raises undoes the batch, history included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apps.calls.projection import StoredFact

Follower = Callable[[Sequence[StoredFact]], None]

_followers: list[Follower] = []


def follow(follower: Follower) -> None:
    """Call it with every batch of new facts, in their order."""
    if follower not in _followers:
        _followers.append(follower)


def tell(new: Sequence[StoredFact]) -> None:
    for follower in _followers:
        follower(new)
