"""Flows: what a caller goes through before somebody answers. Documents are the ``ivr/1`` JSON."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import person
from apps.accounts.models import Coded, TenantOwned


def validate_document(document: object) -> None:
    """Its shape only; a draft may be incomplete. Publishing lints it."""
    if not isinstance(document, dict) or not isinstance(document.get("nodes"), dict):
        raise ValidationError(_('A flow is a JSON object with "nodes".'))


def empty_document() -> dict[str, object]:
    return {"schema": "ivr/1", "langs": ["zh", "en"], "default_lang": "zh", "start": "", "prompts": {}, "nodes": {}}


class Flow(Coded):
    draft = models.JSONField(_("draft"), default=empty_document, validators=[validate_document])
    published = models.ForeignKey(
        "FlowVersion",
        models.RESTRICT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("published version"),
    )

    class Meta:
        verbose_name = _("flow")
        verbose_name_plural = _("flows")
        ordering = ["code"]
        constraints = [models.UniqueConstraint("tenant", "code", name="flow_once_per_tenant")]

    def must_answer(self, field: str) -> None:
        """For what leads callers here by ``field``."""
        if self.published_id is None:
            raise ValidationError({field: _("This flow has never been published: callers would reach nothing.")})


class FlowVersion(TenantOwned):
    """A published document. Never changed: calls are pinned to it."""

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="versions", verbose_name=_("flow"))
    number = models.PositiveIntegerField(_("number"))
    sha256 = models.CharField(_("hash"), max_length=64, help_text=_("Of the canonical document without its layout."))
    document = models.JSONField(_("document"))
    author = person(_("author"))
    comment = models.CharField(_("comment"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("published at"), auto_now_add=True)

    class Meta:
        verbose_name = _("flow version")
        verbose_name_plural = _("flow versions")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint("flow", "number", name="version_once_per_flow")]

    def __str__(self) -> str:
        return f"{self.flow} {self.number}"
