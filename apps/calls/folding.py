"""What each fact means for history. Facts not listed here change no row; they are kept as facts."""

from __future__ import annotations

from apps.calls.folds import agents, callbacks, consults, legs, offers, recordings, stretches
from apps.calls.projection import Fold, Projection, StoredFact
from apps.core import facts

_FOLDS: dict[type[facts.Fact], Fold] = {
    **legs.FOLDS,
    **stretches.FOLDS,
    **consults.FOLDS,
    **callbacks.FOLDS,
    **offers.FOLDS,
    **recordings.FOLDS,
    **agents.FOLDS,
}


def fold(rows: Projection, item: StoredFact) -> None:
    """Apply one fact to the rows."""
    if isinstance(item.fact, facts.CallFact):
        rows.call(item, item.fact)
    apply = _FOLDS.get(type(item.fact))
    if apply is not None:
        apply(rows, item, item.fact)
