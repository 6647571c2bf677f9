"""What callers hear: spoken prompts in both languages, and music."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import TenantOwned, TenantOwnedOrShared
from apps.telephony.models.switches import file_safe_name

prompt_code = RegexValidator(
    r"^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?$",
    _("Small letters, digits and _; a flow's own prompts are flow.prompt."),
)
sound_file = RegexValidator(r"^[a-z0-9][a-z0-9_./-]{0,190}$", _("A file name relative to the sounds directory."))


class Prompt(TenantOwned):
    """A text that callers hear. The sound files are rendered from the texts and named by their content."""

    code = models.CharField(
        _("code"),
        max_length=81,
        validators=[prompt_code],
        help_text=_("A flow's own prompts are kept as flow.prompt and rewritten when the flow is published."),
    )
    text_zh = models.TextField(_("text in Chinese"), blank=True, max_length=2000)
    text_en = models.TextField(_("text in English"), blank=True, max_length=2000)
    sound_zh = models.CharField(
        _("sound in Chinese"), max_length=200, blank=True, validators=[sound_file], help_text=_("Set by rendering.")
    )
    sound_en = models.CharField(
        _("sound in English"), max_length=200, blank=True, validators=[sound_file], help_text=_("Set by rendering.")
    )
    length_zh_ms = models.PositiveIntegerField(_("length in Chinese (ms)"), null=True, editable=False)
    length_en_ms = models.PositiveIntegerField(_("length in English (ms)"), null=True, editable=False)

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        ordering = ["code"]
        constraints = [models.UniqueConstraint("tenant", "code", name="prompt_once_per_tenant")]

    def __str__(self) -> str:
        return self.code

    def sounds(self) -> dict[str, str]:
        """Language of the flow -> file name; only those that are rendered."""
        return {lang: name for lang, name in (("zh", self.sound_zh), ("en", self.sound_en)) if name}


class MusicClass(TenantOwnedOrShared):
    """Music on hold: a stream on the switch, played from a directory of sound files."""

    name = models.CharField(_("name"), max_length=40, unique=True, validators=[file_safe_name])
    directory = models.CharField(
        _("directory"), max_length=200, default="music", help_text=_("Relative to the switch's sounds directory.")
    )

    class Meta:
        verbose_name = _("music on hold")
        verbose_name_plural = _("music on hold")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
