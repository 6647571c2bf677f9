"""What an agent's page may ask for, made into a request to the engine. Pure, and strict: a page is not trusted.

The tenant, the agent and the actor come from the session, never from the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core import events
from apps.core.config import CenterConfig
from apps.core.events import AgentRequest, TransferKind
from apps.core.ids import AgentId, CallId, QueueId, TenantId
from apps.core.texts import (
    LONGEST_ATTACHED,
    LONGEST_HANDOVER,
    LONGEST_KEY,
    LONGEST_NOTE,
    LONGEST_REASON,
    MOST_ATTACHED,
    NUMBER,
    TONES,
)

_CMD_ID = re.compile(r"[A-Za-z0-9-]{8,40}")
_CALL_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_BETWEEN_DIGITS = str.maketrans("", "", " ().-/\u00a0\u2010\u2011\u2013")


class BadMessage(ValueError):
    """The page sent something we do not take; the message says what. ``cmd_id`` is set when it could be read."""

    def __init__(self, detail: str, cmd_id: str | None = None) -> None:
        super().__init__(detail)
        self.cmd_id = cmd_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who sits at the page, as the session says."""

    user_id: str
    user_name: str
    tenant: TenantId
    agent: AgentId

    def engine_cmd_id(self, cmd_id: str) -> str:
        """Two users may choose the same id; to the engine they are different."""
        return f"u{self.user_id}-{cmd_id}"


Fields = Mapping[str, Any]
Build = Callable[[Asker, CenterConfig, dict[str, Any], Fields], AgentRequest]


def parse(message: Fields, asker: Asker, config: CenterConfig) -> tuple[str, AgentRequest]:
    """``{"type":"command","cmd_id","action",...}`` as (the page's cmd_id, the request). Raises ``BadMessage``."""
    return parse_by(_ACTIONS, message, asker, config)


def parse_by(
    actions: Mapping[str, tuple[frozenset[str], Build]], message: Fields, asker: Asker, config: CenterConfig
) -> tuple[str, AgentRequest]:
    """A command by a table of actions: the fields that each may have, and how its request is made."""
    cmd_id = message.get("cmd_id")
    if not isinstance(cmd_id, str) or not _CMD_ID.fullmatch(cmd_id):
        raise BadMessage("cmd_id must be 8 to 40 letters, digits or '-'")
    action = message.get("action")
    spec = actions.get(action) if isinstance(action, str) else None
    if spec is None:
        raise BadMessage("unknown action", cmd_id)
    allowed, build = spec
    unknown = message.keys() - allowed - {"type", "cmd_id", "action"}
    if unknown:
        raise BadMessage(f"unknown field {sorted(map(str, unknown))[0][:40]!r}", cmd_id)
    common = {
        "tenant": asker.tenant,
        "agent": asker.agent,
        "actor": asker.user_name,
        "cmd_id": asker.engine_cmd_id(cmd_id),
    }
    try:
        return cmd_id, build(asker, config, common, message)
    except BadMessage as error:
        raise BadMessage(str(error), cmd_id) from None


def text_of(message: Fields, name: str, limit: int) -> str:
    value = message.get(name, "")
    if not isinstance(value, str) or len(value) > limit:
        raise BadMessage(f"{name} must be text of at most {limit} characters")
    return _without_controls(value)


def _without_controls(text: str) -> str:
    """Line breaks and tabs stay (a note has lines); lone surrogates would break the way to the engine."""
    kept = "".join(letter for letter in text if letter in "\n\t" or (letter.isprintable() or letter == "\u3000"))
    return kept.encode("utf-8", "ignore").decode().strip()


def _call(message: Fields) -> CallId:
    call = message.get("call")
    if not isinstance(call, str) or not _CALL_ID.fullmatch(call):
        raise BadMessage("call must be a call id")
    return CallId(call)


def _about_call(message: Fields) -> dict[str, Any]:
    version = message.get("version")
    if version is not None and (type(version) is not int or not 0 <= version < 2**53):
        raise BadMessage("version must be a whole number")
    return {"call": _call(message), "version": version}


def _plain(kind: type[AgentRequest]) -> Build:
    return lambda asker, config, common, message: kind(**common)


def _on_call(kind: type[events.CallRequest]) -> Build:
    return lambda asker, config, common, message: kind(**common, **_about_call(message))


def _pause(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    return events.AgentPaused(**common, reason=text_of(message, "reason", LONGEST_REASON))


def _ack(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    live = message.get("mic") == "live" and message.get("audio") == "running"
    return events.OfferAcknowledged(**common, **_about_call(message), live=live)


def _claim(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    page = message.get("page")
    if not isinstance(page, str) or not _CMD_ID.fullmatch(page):
        raise BadMessage("page must be 8 to 40 letters, digits or '-'")
    return events.MediaClaimed(**common, page=page)


def _media(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    ready, epoch = message.get("ready"), message.get("epoch", 0)
    if type(ready) is not bool or type(epoch) is not int or not 0 <= epoch < 2**53:
        raise BadMessage("ready must be true or false, epoch a whole number")
    return events.MediaReady(**common, ready=ready, epoch=epoch)


def _help(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    wanted = message.get("wanted")
    if type(wanted) is not bool:
        raise BadMessage("wanted must be true or false")
    return events.HelpRequested(**common, **_about_call(message), wanted=wanted)


def clean_number(text: str) -> str:
    """A number as people write it, without what they put between the digits. Raises ``BadMessage``."""
    number = text.translate(_BETWEEN_DIGITS)
    if not NUMBER.fullmatch(number):
        raise BadMessage("not a telephone number")
    return number


def _dial(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    attached = message.get("attached", {})
    if not isinstance(attached, dict) or len(attached) > MOST_ATTACHED:
        raise BadMessage(f"attached must be an object of at most {MOST_ATTACHED} texts")
    texts = {
        _short(key, "attached", LONGEST_KEY): _short(value, "attached", LONGEST_ATTACHED)
        for key, value in attached.items()
    }
    shown = text_of(message, "caller_id", LONGEST_REASON)
    return events.DialRequested(
        **common,
        number=clean_number(text_of(message, "number", LONGEST_REASON)),
        caller_number=clean_number(shown) if shown else "",
        customer=text_of(message, "customer", LONGEST_KEY),
        attached=texts,
    )


def _short(value: Any, name: str, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise BadMessage(f"{name} must hold texts of at most {limit} characters")
    return _without_controls(value)


def _digits(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    digits = message.get("digits")
    if not isinstance(digits, str) or not TONES.fullmatch(digits):
        raise BadMessage("digits must be 1 to 32 of 0-9 * # A-D")
    return events.DigitsRequested(**common, **_about_call(message), digits=digits)


def _to_somebody(kind: type[events.TransferRequested] | type[events.ConsultRequested]) -> Build:
    def build(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
        where, target = _target(asker, config, message)
        note = text_of(message, "note", LONGEST_HANDOVER)
        return kind(**common, **_about_call(message), kind=where, target=target, note=note)

    return build


def _target(asker: Asker, config: CenterConfig, message: Fields) -> tuple[TransferKind, str]:
    target = text_of(message, "target", LONGEST_REASON)
    try:
        kind = TransferKind(str(message.get("kind")))
    except ValueError:
        raise BadMessage("kind must be queue, agent, extension or number") from None
    if kind is TransferKind.NUMBER:
        target, known = clean_number(target), True
    elif kind is TransferKind.EXTENSION:
        target = clean_number(target)
        own = (agent.device for agent in config.agents.values() if agent.tenant == asker.tenant)
        known = any(device is not None and device.address == target for device in own)
    elif kind is TransferKind.QUEUE:
        queue = config.queues.get(QueueId(target))
        known = queue is not None and queue.tenant == asker.tenant
    else:
        agent = config.agents.get(AgentId(target))
        known = agent is not None and agent.tenant == asker.tenant and agent.id != asker.agent
    if not known:
        raise BadMessage("no such transfer target")
    return kind, target


def _draft(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    disposition = text_of(message, "disposition", LONGEST_REASON)
    tenant = config.tenants.get(asker.tenant)
    if disposition and (tenant is None or disposition not in tenant.dispositions):
        raise BadMessage("unknown disposition")
    note = text_of(message, "note", LONGEST_NOTE)
    return events.DraftSaved(**common, call=_call(message), note=note, disposition=disposition)


def _with_result(kind: type[events.WrapUpFinished] | type[events.LateResultGiven]) -> Build:
    def build(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
        disposition = text_of(message, "disposition", LONGEST_REASON)
        tenant = config.tenants.get(asker.tenant)
        if tenant is None or disposition not in tenant.dispositions:
            raise BadMessage("unknown disposition")
        note = text_of(message, "note", LONGEST_NOTE)
        return kind(**common, call=_call(message), disposition=disposition, note=note)

    return build


def _extend(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    return events.WrapUpExtended(**common, call=_call(message))


_CALL_FIELDS = frozenset({"call", "version"})
_ACTIONS: dict[str, tuple[frozenset[str], Build]] = {
    "sign_in": (frozenset(), _plain(events.AgentSignedIn)),
    "sign_out": (frozenset(), _plain(events.AgentSignedOut)),
    "ready": (frozenset(), _plain(events.AgentWentReady)),
    "pause": (frozenset({"reason"}), _pause),
    "media_claim": (frozenset({"page"}), _claim),
    "media": (frozenset({"ready", "epoch"}), _media),
    "dial": (frozenset({"number", "caller_id", "customer", "attached"}), _dial),
    "ack": (_CALL_FIELDS | {"mic", "audio"}, _ack),
    "answer": (_CALL_FIELDS, _on_call(events.AnswerRequested)),
    "decline": (_CALL_FIELDS, _on_call(events.DeclineRequested)),
    "hang_up": (_CALL_FIELDS, _on_call(events.HangUpRequested)),
    "hold": (_CALL_FIELDS, _on_call(events.HoldRequested)),
    "resume": (_CALL_FIELDS, _on_call(events.ResumeRequested)),
    "help": (_CALL_FIELDS | {"wanted"}, _help),
    "mark": (_CALL_FIELDS, _on_call(events.CallMarkRequested)),
    "rejoin": (_CALL_FIELDS, _on_call(events.RejoinRequested)),
    "mute": (_CALL_FIELDS, _on_call(events.MuteRequested)),
    "unmute": (_CALL_FIELDS, _on_call(events.UnmuteRequested)),
    "dtmf": (_CALL_FIELDS | {"digits"}, _digits),
    "mask": (_CALL_FIELDS, _on_call(events.RecordingPauseRequested)),
    "unmask": (_CALL_FIELDS, _on_call(events.RecordingResumeRequested)),
    "transfer": (_CALL_FIELDS | {"kind", "target", "note"}, _to_somebody(events.TransferRequested)),
    "consult": (_CALL_FIELDS | {"kind", "target", "note"}, _to_somebody(events.ConsultRequested)),
    "consult_swap": (_CALL_FIELDS, _on_call(events.ConsultSwapRequested)),
    "consult_complete": (_CALL_FIELDS, _on_call(events.ConsultCompleteRequested)),
    "consult_cancel": (_CALL_FIELDS, _on_call(events.ConsultCancelRequested)),
    "three_way": (_CALL_FIELDS, _on_call(events.ThreeWayRequested)),
    "draft": (frozenset({"call", "note", "disposition"}), _draft),
    "finish": (frozenset({"call", "disposition", "note"}), _with_result(events.WrapUpFinished)),
    "complete": (frozenset({"call", "disposition", "note"}), _with_result(events.LateResultGiven)),
    "extend": (frozenset({"call"}), _extend),
}
