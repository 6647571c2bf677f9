"""What operations keeps of their own: legal holds, and what was taken from a switch's own call records."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import person
from apps.accounts.history import History, LenientKey
from apps.accounts.models import TenantOwned


class LegalHold(TenantOwned):
    """Keeps a call, its recordings and its facts from retention until it is released.

    A row of its own instead of a flag on the call: it says who, when and why, and the recorder, which writes calls
    whole, cannot take it away.
    """

    call_id = models.TextField(_("call"), help_text=_("Its id, as the call history shows it."))
    reason = models.CharField(_("reason"), max_length=500, help_text=_("E.g. the reference of the complaint."))
    placed_by = person(_("by"), editable=False)
    placed_at = models.DateTimeField(_("placed"), auto_now_add=True)
    released_by = person(_("released by"), editable=False)
    released_at = models.DateTimeField(_("released"), null=True, editable=False)

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        ordering = ["-placed_at"]
        constraints = [
            models.UniqueConstraint(
                "call_id",
                condition=models.Q(released_at=None),
                name="one_hold_a_call",
                violation_error_message=_("This call is on hold already."),
            )
        ]

    def __str__(self) -> str:
        return self.call_id


class SwitchRecordFate(models.TextChoices):
    KNOWN = "known", _("known already")
    IMPORTED = "imported", _("call added to the history")
    OTHER_LEG = "other_leg", _("leg of another call")


class SwitchRecord(History):
    """One leg as the switch's own call record has it, taken once: the guard against taking it again."""

    uuid = models.TextField(primary_key=True)
    switch = LenientKey("telephony.Switch", verbose_name=_("switch"))
    call_id = models.TextField(_("call"), blank=True)
    fate = models.CharField(_("fate"), max_length=10, choices=SwitchRecordFate.choices)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    cause = models.TextField(_("switch's cause"), blank=True)
    taken_at = models.DateTimeField(_("taken"), auto_now_add=True)

    class Meta:
        verbose_name = _("record of the switch")
        verbose_name_plural = _("records of the switch")
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["tenant", "started_at"])]

    def __str__(self) -> str:
        return self.uuid
