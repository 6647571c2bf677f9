"""Which rule folds which kind of fact into the state: they register themselves here and ``State.apply`` finds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from apps.core.calls.model import Call

if TYPE_CHECKING:
    from apps.core.state import State

CallRule = Callable[["State", Call, Any], None]
Rule = Callable[["State", Any], None]
CALL_RULES: dict[type, CallRule] = {}
RULES: dict[type, Rule] = {}


def on_call(kind: type) -> Callable[[CallRule], CallRule]:
    def register(rule: CallRule) -> CallRule:
        CALL_RULES[kind] = rule
        return rule

    return register


def on(kind: type) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES[kind] = rule
        return rule

    return register
