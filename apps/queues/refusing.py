"""Refuse a change that makes the configuration one that can never work, with the reason in the reader's language.

A change is tried first: the rows are written, the whole of the tenant's configuration is looked at as the engine would
see it, and where that has a problem which it had not before, the transaction is undone. So it makes no difference in
which form, list or import the change was made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.queues.models import Queue
from apps.queues.soundness import MOST_RINGS, Flaw, Problem, problems
from apps.telephony.center_config import compile_center_config

REASONS = {
    Flaw.UNSERVED: gettext_lazy(
        "%(queues)s: no enabled agent serves this queue who has a telephone and takes calls; callers would wait in"
        " vain."
    ),
    Flaw.UNSKILLED: gettext_lazy("%(queues)s: none of its agents has all that is required: %(names)s."),
    Flaw.FLOW_UNSKILLED: gettext_lazy(
        "%(queues)s: none of its agents has all that flow %(first)s asks for: %(names)s."
    ),
    Flaw.ELSEWHERE: gettext_lazy(
        "%(queues)s: callers come in on a switch on which none of its agents has a telephone; they would wait in vain."
    ),
    Flaw.CIRCLE: gettext_lazy("Callers would go in a circle: %(way)s."),
    Flaw.TOO_MANY_RINGS: gettext_lazy("%(queues)s: relaxations at more than %(most)s different times."),
    Flaw.RING_TWICE: gettext_lazy("%(queues)s: relaxations are not in the order of time."),
    Flaw.RING_TIGHTENS: gettext_lazy("%(queues)s: after %(first)s more would be asked for than before. %(names)s"),
    Flaw.NO_TIERS: gettext_lazy("%(queues)s: there is a rule for tiers, but all agents are in the first."),
}


class Unsound(ValidationError):
    """Raised where the change has been written; whoever catches it must be outside of the transaction."""


def problems_of(tenant_id: int) -> frozenset[Problem]:
    return frozenset(problems(compile_center_config(0, tenant_id)))


def refuse_new(before: Collection[Problem], tenant_id: int, *, tolerated: Collection[Flaw] = ()) -> None:
    """Raises ``Unsound`` with each problem that was not there before, but those ``tolerated``."""
    found = problems(compile_center_config(0, tenant_id))
    new = [problem for problem in found if problem not in before and problem.flaw not in tolerated]
    if new:
        raise Unsound(reasons(new))


@contextmanager
def kept_sound(tenant_id: int, *, tolerated: Collection[Flaw] = ()) -> Iterator[None]:
    """What is written inside is undone where it brings a problem. Raises ``Unsound``."""
    with transaction.atomic():
        before = problems_of(tenant_id)
        yield
        refuse_new(before, tenant_id, tolerated=tolerated)


def reasons_against(tenant_id: int, change: Callable[[], object]) -> list[str]:
    """What would be wrong after ``change``, which is undone in any case. Empty where the database refuses it itself."""
    with transaction.atomic():
        try:
            with kept_sound(tenant_id):
                change()
        except (models.ProtectedError, models.RestrictedError):
            return []
        except Unsound as refused:
            return list(refused.messages)
        transaction.set_rollback(True)
    return []


def reasons(found: Iterable[Problem]) -> list[str]:
    found = list(found)
    keys = {queue for problem in found for queue in problem.queues}
    names = dict(Queue.objects.filter(pk__in=keys).values_list("pk", "name"))
    return [_reason(problem, names) for problem in found]


def _reason(problem: Problem, queues: dict[int, str]) -> str:
    with_first = problem.flaw in (Flaw.FLOW_UNSKILLED, Flaw.RING_TIGHTENS)
    text = REASONS[problem.flaw] % {
        "queues": ", ".join(sorted(queues.get(int(queue), queue) for queue in problem.queues)),
        "first": problem.names[0] if problem.names else "",
        "names": _(", ").join(problem.names[1:] if with_first else problem.names),
        "way": " → ".join(problem.names),
        "most": MOST_RINGS,
    }
    return text.strip()
