"""Recordings: where the sound of a call is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import History, LenientKey


class RecordingStatus(models.TextChoices):
    ASKED = "asked", _("asked for")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    BROKEN = "broken", _("broken")


class Recording(History):
    id = models.TextField(_("id"), primary_key=True)
    call = models.ForeignKey("calls.Call", models.CASCADE, related_name="recordings", verbose_name=_("call"))
    leg_id = models.TextField(_("leg"))
    switch = LenientKey("telephony.Switch", verbose_name=_("switch"))
    path = models.TextField(_("path"), help_text=_("Relative to the switch's recordings directory."))
    asked_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    duration_ms = models.BigIntegerField(_("duration, ms"), null=True)
    status = models.CharField(_("status"), max_length=8, choices=RecordingStatus.choices, default=RecordingStatus.ASKED)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["tenant", "-asked_at"])]

    def __str__(self) -> str:
        return self.path
