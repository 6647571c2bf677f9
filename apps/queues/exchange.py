"""Queues as a spreadsheet. Who serves them is in the agents' list, which is brought in after this one."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.fields import Field

from apps.ivr.models import Flow
from apps.queues.models import Queue
from apps.telephony.exchange import OwnForeignKey, TenantResource
from apps.telephony.models import MusicClass, Prompt


class QueueResource(TenantResource):
    music = Field("music", "music", widget=OwnForeignKey(MusicClass, "name"))
    overflow_queue = Field("overflow_queue", "overflow_queue", widget=OwnForeignKey(Queue, "code"))
    overflow_flow = Field("overflow_flow", "overflow_flow", widget=OwnForeignKey(Flow, "code"))
    whisper_prompt = Field("whisper_prompt", "whisper_prompt", widget=OwnForeignKey(Prompt, "code"))
    overflow_prompt = Field("overflow_prompt", "overflow_prompt", widget=OwnForeignKey(Prompt, "code"))

    class Meta(TenantResource.Meta):
        model = Queue
        fields = (
            "code", "name", "priority", "max_wait_s", "ring_timeout_s", "wrap_up_s", "service_level_s", "record",
            "auto_answer", "whisper_prompt", "music", "overflow_kind", "overflow_queue", "overflow_number",
            "overflow_flow", "overflow_prompt",
        )  # fmt: skip
        import_id_fields = ("code",)

    def before_save_instance(self, instance: Queue, row: Any, **kwargs: Any) -> None:
        flow = instance.overflow_flow
        if flow is not None and instance.overflow_kind == "flow" and flow.published_id is None:
            raise ValidationError(
                {"overflow_flow": _("This flow has never been published: callers would reach nothing.")}
            )
