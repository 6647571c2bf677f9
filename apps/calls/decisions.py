"""Why an agent was offered a call, as the engine put it on record, for people: who could, who could not, and why.

Names are those of today. Agents whom the reader may not see are told without a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.agents.models import Agent, PauseReason
from apps.calls.models import Decision
from apps.calls.projection import row_id
from apps.core import codec
from apps.core.codec import CodecError
from apps.core.config import SkillNeed, Strategy
from apps.core.facts import Considered, OfferDecided, PassedOver
from apps.core.ids import AgentId
from apps.queues.models import StrategyChoice

Names = Mapping[AgentId, str]
SHOWN = 5
"""So many agents are told by name in one sentence; the rest is counted."""

BUSY = {
    "paused": gettext_lazy("paused"),
    "offered": gettext_lazy("being rung"),
    "dialing": gettext_lazy("dialling"),
    "talking": gettext_lazy("talking"),
    "holding": gettext_lazy("has a caller on hold"),
    "consulting": gettext_lazy("consulting"),
    "conferencing": gettext_lazy("in a conference"),
    "wrap_up": gettext_lazy("in wrap-up"),
    "not_responding": gettext_lazy("not responding"),
    "disconnected": gettext_lazy("console disconnected"),
    "no_device": gettext_lazy("no telephone"),
    "switch": gettext_lazy("switch not reached"),
    "media": gettext_lazy("no sound in the browser"),
    "device": gettext_lazy("telephone not registered"),
    "suspended": gettext_lazy("telephone could not be rung"),
    "on_phone": gettext_lazy("on the telephone"),
    "line": gettext_lazy("open line not up yet"),
    "kept_free": gettext_lazy("kept free for a callback"),
}
"""The states of agents (``core/agents/machine.py``), and what blocks one who is ready (``core/agents/reach.py``)."""

STATE_REASONS = {
    "login": gettext_lazy("just signed in"),
    "no_answer": gettext_lazy("did not answer"),
    "forced": gettext_lazy("by a supervisor"),
    "declined": gettext_lazy("call declined"),
    "lost": gettext_lazy("connection lost"),
    "no_ack": gettext_lazy("page did not answer"),
    "device": gettext_lazy("telephone cannot be reached"),
    "line_lost": gettext_lazy("line lost"),
    "line_not_answered": gettext_lazy("line not answered"),
    "line_failed": gettext_lazy("line could not be called"),
}
"""Why somebody is in a state, where the engine put them there; else it is one of the tenant's pause reasons."""


def trace_of(row: Decision) -> OfferDecided | None:
    """None where nothing was put on record, or another version wrote it in a way that we do not read."""
    if row.trace is None:
        return None
    try:
        fact = codec.decode(row.trace)
    except CodecError:
        return None
    return fact if isinstance(fact, OfferDecided) else None


def names_in(traces: Iterable[OfferDecided | None], visible: QuerySet[Agent] | None = None) -> Names:
    """Of all the agents in them, in one query; ``visible`` are those whom the reader may see, as rows."""
    ids = {row_id(agent) for trace in traces if trace is not None for agent in _agents(trace)}
    rows = (Agent.objects.all() if visible is None else visible).filter(pk__in=[key for key in ids if key is not None])
    return {AgentId(str(pk)): f"{number} {name}" for pk, number, name in rows.values_list("pk", "number", "name")}


def _agents(trace: OfferDecided) -> set[AgentId]:
    one_by_one = {trace.agent, *(one.agent for one in trace.considered), *(one.agent for one in trace.passed_over)}
    return one_by_one | ({trace.only} if trace.only is not None else set())


def told(trace: OfferDecided, names: Names) -> list[str]:
    """In sentences, in the reader's language, in the order in which it was decided."""
    fit = [one for one in trace.considered if not one.code]
    return [
        *_asked(trace, names),
        *_relaxed(trace),
        _chosen(trace, fit, names),
        *_listed(_("Free, but could not serve: %(agents)s."), [one for one in trace.considered if one.code], names),
        *_listed(_("Not free: %(agents)s."), trace.passed_over, names, pauses_of(trace)),
    ]


# --- what was asked ------------------------------------------------------------------------------------------------


def _asked(trace: OfferDecided, names: Names) -> list[str]:
    if trace.only is not None:
        return [_("Only %(agent)s was asked.") % {"agent": name_of(trace.only, names)}]
    required = [_need(need) for need in trace.needs if need.required]
    preferred = [_need(need) for need in trace.needs if not need.required]
    found = [_("Required: %(skills)s.") % {"skills": _(", ").join(required)}] if required else []
    if preferred:
        found.append(_("Preferred: %(skills)s.") % {"skills": _(", ").join(preferred)})
    return found or [_("No skill was asked for.")]


def _need(need: SkillNeed) -> str:
    return f"{need.skill} ≥ {need.level}" if need.required else f"{need.skill} {need.level}"


def _relaxed(trace: OfferDecided) -> list[str]:
    found = []
    if trace.ring:
        seconds = (trace.at_ms - trace.ring_since_ms) // 1000
        text = _("Relaxation %(number)s was in force, for %(seconds)s s.")
        found.append(text % {"number": trace.ring, "seconds": seconds})
    if trace.tiers_up_to is not None:
        found.append(_("Tiers up to %(tier)s served.") % {"tier": trace.tiers_up_to})
    return found


# --- who was chosen, and who was not -------------------------------------------------------------------------------


def _chosen(trace: OfferDecided, fit: list[Considered], names: Names) -> str:
    count = max(trace.eligible, len(fit))
    text = ngettext(
        "%(count)s agent could serve; %(strategy)s: %(agents)s.",
        "%(count)s agents could serve; %(strategy)s, the best first: %(agents)s.",
        count,
    )
    strategy = dict(StrategyChoice.choices).get(trace.strategy.value, trace.strategy.value)
    agents = _list([f"{name_of(one.agent, names)} ({_standing(trace, one)})" for one in fit], count)
    return text % {"count": count, "strategy": strategy, "agents": agents}


def _standing(trace: OfferDecided, one: Considered) -> str:
    """What put this agent where they are: the tier, the score where skills rank, and what the strategy goes by."""
    parts = [_("tier %(tier)s") % {"tier": one.tier}] if one.tier > 1 else []
    score = score_of(one)
    if score:
        parts.append(_("score %(score)s") % {"score": score})
    told_by = _GOES_BY.get(trace.strategy, _idle)
    return _(", ").join([*parts, told_by(trace, one)])


def score_of(one: Considered) -> int:
    """How well the agent meets what is asked, as the engine counted it (``core/queues/needs.py``)."""
    return -one.rank[1] if len(one.rank) > 1 else 0


def _idle(trace: OfferDecided, one: Considered) -> str:
    return _("idle for %(time)s") % {"time": _time(trace.at_ms - one.idle_since_ms)}


def _talked(trace: OfferDecided, one: Considered) -> str:
    return _("talked %(time)s") % {"time": _time(one.talked_ms)}


def _served(trace: OfferDecided, one: Considered) -> str:
    return ngettext("%(count)s call", "%(count)s calls", one.served) % {"count": one.served}


def _last_offer(trace: OfferDecided, one: Considered) -> str:
    if not one.offered_ms:
        return _("not offered anything yet")
    return _("last offered %(time)s ago") % {"time": _time(trace.at_ms - one.offered_ms)}


def _position(trace: OfferDecided, one: Considered) -> str:
    return _("position %(position)s") % {"position": one.position}


def _lot(trace: OfferDecided, one: Considered) -> str:
    return _("lot %(number)s") % {"number": one.rank[-1] if one.rank else "–"}


_GOES_BY: dict[Strategy, Callable[[OfferDecided, Considered], str]] = {
    Strategy.LEAST_TALK_TIME: _talked,
    Strategy.FEWEST_CALLS: _served,
    Strategy.ROUND_ROBIN: _last_offer,
    Strategy.TOP_DOWN: _position,
    Strategy.RING_PROGRESSIVELY: _position,
    Strategy.RANDOM: _lot,
}


def pauses_of(trace: OfferDecided) -> Mapping[str, str]:
    """The tenant's own names of the pauses in it, by code."""
    codes = {one.detail for one in trace.passed_over if one.code == "paused"} - STATE_REASONS.keys()
    tenant = row_id(trace.tenant)
    if not codes or tenant is None:
        return {}
    rows = PauseReason.objects.filter(tenant_id=tenant, code__in=codes)
    return dict(rows.values_list("code", "name"))


def _listed(
    sentence: str, those: Iterable[Considered | PassedOver], names: Names, pauses: Mapping[str, str] | None = None
) -> list[str]:
    parts = [f"{name_of(one.agent, names)} ({reason(one.code, one.detail, pauses or {})})" for one in those]
    return [sentence % {"agents": _list(parts, len(parts))}] if parts else []


def reason(code: str, detail: str, pauses: Mapping[str, str]) -> str:
    """Why somebody was not asked. ``pauses``: names of the tenant's pause reasons by code."""
    if code == "lacks_skill":
        skill, _sign, level = detail.rpartition("=")
        return _("lacks %(skill)s %(level)s") % {"skill": skill, "level": level}
    if code == "tier_waits":
        return _("tier %(tier)s waits still") % {"tier": detail}
    if code == "other_switch":
        return _("telephone on another switch")
    if code == "no_capacity":
        return _("no capacity left")
    if code == "not_wanted":
        return _("not the one asked for")
    word = str(BUSY.get(code, code))
    # Behind a lost console there is the state that the agent comes back to.
    known = BUSY if code == "disconnected" else STATE_REASONS
    more = pauses.get(detail) or str(known.get(detail, detail))
    return _("%(state)s: %(why)s") % {"state": word, "why": more} if more else word


def _list(parts: list[str], count: int) -> str:
    shown = parts[:SHOWN]
    more = count - len(shown)
    text = _(", ").join(shown)
    return text + ngettext(" and %(count)s more", " and %(count)s more", more) % {"count": more} if more > 0 else text


def name_of(agent: AgentId, names: Names) -> str:
    return names.get(agent) or _("somebody else")


def _time(ms: int) -> str:
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
