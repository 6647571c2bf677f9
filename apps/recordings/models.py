"""Recordings: where the sound of a call is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import person
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
    forgotten_at = models.DateTimeField(
        _("forgotten"), null=True, help_text=_("Nobody hears it any more; the next nightly run removes the sound.")
    )

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["tenant", "-asked_at"])]

    def __str__(self) -> str:
        return self.path


class RecordingAccess(History):
    """Somebody heard a recording. Kept when the person's account is deleted: the name stands beside the reference."""

    class Way(models.TextChoices):
        PLAYED = "played", _("played")
        DOWNLOADED = "downloaded", _("downloaded")

    recording = models.ForeignKey(Recording, models.CASCADE, related_name="accesses", verbose_name=_("recording"))
    user = person(_("user"))
    username = models.TextField(_("user name"))
    at = models.DateTimeField(_("at"), auto_now_add=True)
    address = models.TextField(_("from"), blank=True)
    way = models.CharField(_("way"), max_length=10, choices=Way.choices, default=Way.PLAYED)

    class Meta:
        verbose_name = _("access to a recording")
        verbose_name_plural = _("accesses to recordings")
        ordering = ["-at"]
        indexes = [models.Index(fields=["tenant", "-at"])]

    def __str__(self) -> str:
        return f"{self.username} {self.at:%Y-%m-%d %H:%M}"
