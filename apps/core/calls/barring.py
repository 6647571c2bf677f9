"""Which numbers a tenant may dial: its policy, and rules that make exceptions. Pure.

One number can be written in many ways (``13800138000``, ``+8613800138000``, ``008613800138000``), and a rule that one
of them slips by is no rule: so every rule is held against every way of writing the number.
"""

from __future__ import annotations

from apps.core.config import DialPolicy, DialRule


def allowed(policy: DialPolicy, number: str) -> bool:
    """Of the rules that fit, the longest prefix decides; of equal ones a rule for the whole number, then a denial."""
    forms = _forms(policy, number)
    fitting = [rule for rule in policy.rules if any(_fits(rule, form) for form in forms)]
    if fitting:
        return max(fitting, key=lambda rule: (len(rule.prefix.lstrip("+")), rule.whole, not rule.allow)).allow
    if not number.removeprefix("+").isdecimal():
        return False  # * and # are for the exchange: they turn on diversions, for one
    return policy.national if _is_national(policy, forms) else policy.international


def same_number(policy: DialPolicy, one: str, other: str) -> bool:
    """Two ways of writing one number."""
    return not _forms(policy, one).isdisjoint(_forms(policy, other))


def is_one_of(policy: DialPolicy, number: str, those: frozenset[str]) -> bool:
    """However the trunk wrote it; ``those`` are E.164."""
    return bool(those) and not _forms(policy, number).isdisjoint(those)


def _fits(rule: DialRule, form: str) -> bool:
    return form == rule.prefix if rule.whole else form.startswith(rule.prefix)


def _forms(policy: DialPolicy, number: str) -> frozenset[str]:
    """The number as E.164 (with +), as dialled in the country, and as it stands."""
    abroad = policy.international_prefix
    if number.startswith(abroad) and not number.startswith("+"):
        international = "+" + number.removeprefix(abroad)
    elif number.startswith("+"):
        international = number
    else:
        return frozenset({number, f"+{policy.country_code}{number.removeprefix('0')}"})
    home = f"+{policy.country_code}"
    if international.startswith(home):
        inside = international.removeprefix(home)
        return frozenset({number, international, inside, f"0{inside}"})
    return frozenset({number, international})


def _is_national(policy: DialPolicy, forms: frozenset[str]) -> bool:
    return any(form.startswith(f"+{policy.country_code}") for form in forms)
