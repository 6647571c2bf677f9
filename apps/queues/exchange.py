"""Queues as a spreadsheet. Who serves them is in the agents' list, which is brought in after this one."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from import_export.fields import Field

from apps.agents.models import Skill
from apps.ivr.models import Flow
from apps.queues.models import Queue, QueueRing, QueueSkill
from apps.queues.soundness import Flaw
from apps.telephony.exchange import OwnForeignKey, TenantResource
from apps.telephony.models import Calendar, MusicClass, Prompt

_NEED = re.compile(r"([a-z][a-z0-9_]*(?::[a-z0-9_-]+)?)(?:=([1-5]))?(\?)?")
_RING = re.compile(r"([1-9][0-9]{0,3})s:(?:tier=([1-9])|-([a-z][a-z0-9_:-]*)|([a-z][a-z0-9_:-]*)=([1-4]))")


class QueueResource(TenantResource):
    """``needs`` reads ``network=3 lang:en=2?`` (with ``?`` preferred, else required; 1 without a figure), ``relaxed``
    ``20s:network=2 40s:-network 40s:tier=2``: lowered after 20 s, dropped after 40 s, and then the second tier joins.
    """

    tolerated = frozenset({Flaw.UNSERVED})  # the agents' list comes next
    with_rows = {
        "needs": QueueSkill.objects.select_related("skill").order_by("skill__code"),
        "rings": QueueRing.objects.select_related("skill"),
    }

    music = Field("music", "music", widget=OwnForeignKey(MusicClass, "name"))
    overflow_queue = Field("overflow_queue", "overflow_queue", widget=OwnForeignKey(Queue, "code"))
    overflow_flow = Field("overflow_flow", "overflow_flow", widget=OwnForeignKey(Flow, "code"))
    whisper_prompt = Field("whisper_prompt", "whisper_prompt", widget=OwnForeignKey(Prompt, "code"))
    overflow_prompt = Field("overflow_prompt", "overflow_prompt", widget=OwnForeignKey(Prompt, "code"))
    calendar = Field("calendar", "calendar", widget=OwnForeignKey(Calendar, "code"))
    closed_queue = Field("closed_queue", "closed_queue", widget=OwnForeignKey(Queue, "code"))
    closed_flow = Field("closed_flow", "closed_flow", widget=OwnForeignKey(Flow, "code"))
    closed_prompt = Field("closed_prompt", "closed_prompt", widget=OwnForeignKey(Prompt, "code"))
    closing_prompt = Field("closing_prompt", "closing_prompt", widget=OwnForeignKey(Prompt, "code"))
    needs = Field(column_name="needs")
    relaxed = Field(column_name="relaxed")

    class Meta(TenantResource.Meta):
        model = Queue
        fields = (
            "code", "name", "strategy", "priority", "ageing_s", "needs", "relaxed", "ring_step_s", "tier_wait_s",
            "tier_wait_grows", "tier_skip_empty", "sticky_days", "sticky_wait_s", "resume_s", "max_wait_s",
            "ring_timeout_s", "wrap_up_s", "disposition_required", "service_level_s", "record", "auto_answer",
            "whisper_prompt", "music",
            "overflow_kind", "overflow_queue", "overflow_number", "overflow_flow", "overflow_prompt", "max_callers",
            "no_agents", "no_agents_grace_s", "calendar", "closed_kind", "closed_queue", "closed_number", "closed_flow",
            "closed_prompt", "closing", "closing_prompt", "comfort_every_s", "tell_position", "tell_wait",
            "tell_every_s", "callback", "callback_key", "callback_from_s", "callback_agent_first", "callback_attempts",
            "callback_retry_min", "callback_window_min",
        )  # fmt: skip
        import_id_fields = ("code",)
        skip_unchanged = False  # needs and relaxations are no columns

    def dehydrate_needs(self, queue: Queue) -> str:
        rows = self.rows_of(queue, "needs")
        return " ".join(f"{row.skill.code}={row.level}{'' if row.required else '?'}" for row in rows)

    def dehydrate_relaxed(self, queue: Queue) -> str:
        return " ".join(word for row in self.rows_of(queue, "rings") for word in _words(row))

    def after_save_instance(self, instance: Queue, row: dict[str, Any], **kwargs: Any) -> None:
        if "needs" in row:
            self._set_needs(instance, str(row["needs"] or ""))
        if "relaxed" in row:
            self._set_rings(instance, str(row["relaxed"] or ""))

    def _set_needs(self, queue: Queue, text: str) -> None:
        wanted: dict[str, tuple[int, bool]] = {}
        for word in text.split():
            match = _NEED.fullmatch(word)
            if match is None:
                raise ValidationError({"needs": _("“%(word)s” is not like network=3 or lang:en=2?.") % _cut(word)})
            wanted[match[1]] = (int(match[2] or 1), match[3] is None)
        skills = self.by_code(Skill, wanted, "needs")
        _delete(queue.needs.exclude(skill__code__in=wanted))
        for code, (level, required) in wanted.items():
            figures = {"level": level, "required": required}
            QueueSkill.objects.update_or_create(queue=queue, skill=skills[code], defaults=figures)

    def _set_rings(self, queue: Queue, text: str) -> None:
        if text.split() == self.dehydrate_relaxed(queue).split():
            return
        matches = [(word, _RING.fullmatch(word)) for word in text.split()]
        for word, match in matches:
            if match is None:
                said = _("“%(word)s” is not like 20s:network=2, 40s:-network or 40s:tier=2.")
                raise ValidationError({"relaxed": said % _cut(word)})
        found = [match for _word, match in matches if match is not None]
        if [int(match[1]) for match in found] != sorted(int(match[1]) for match in found):
            raise ValidationError({"relaxed": _("Relaxations are not in the order of time.")})
        skills = self.by_code(Skill, {match[3] or match[4] for match in found} - {None}, "relaxed")
        _delete(queue.rings.all())
        for match in found:
            code = match[3] or match[4]
            ring = QueueRing(
                queue=queue,
                after_s=int(match[1]),
                skill=skills[code] if code else None,
                level=int(match[5]) if match[5] else None,
                tiers_up_to=int(match[2]) if match[2] else None,
            )
            ring.full_clean()
            ring.save()


def _words(row: QueueRing) -> list[str]:
    """One relaxation may be two words: a skill, and tiers that join at the same time."""
    found = []
    if row.skill is not None:
        change = f"-{row.skill.code}" if row.level is None else f"{row.skill.code}={row.level}"
        found.append(f"{row.after_s}s:{change}")
    if row.tiers_up_to is not None:
        found.append(f"{row.after_s}s:tier={row.tiers_up_to}")
    return found


def _cut(word: str) -> dict[str, str]:
    return {"word": word[:60]}


def _delete(rows: models.QuerySet[Any]) -> None:
    """One by one: the audit log tells each."""
    for row in rows:
        row.delete()
