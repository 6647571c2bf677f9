"""Pages that must close at once: a session ended, somebody lost a right, a screen got a new address.

Pages ask who may see them when they open, so one that is open must not outlive the right to it. Whoever keeps pages
open registers how to close them (``apps.py``); here it is only said whose.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

Closer = Callable[[str], None]
"""Gets what the pages are known by: a user's key as text, or what a screen is known by. Never blocks."""

_closers: list[Closer] = []


def register(closer: Closer) -> None:
    if closer not in _closers:
        _closers.append(closer)


def close_pages(of: str) -> None:
    """When the transaction is through: before, a page that comes back at once would be let in again."""
    transaction.on_commit(lambda: _close(of))


def _close(of: str) -> None:
    for closer in _closers:
        closer(of)
