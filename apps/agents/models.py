"""Agents, what they can do, and the words they choose from."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import whole_number, whole_number_or_none
from apps.accounts.models import Coded, TenantOwned, dialable

skill_code = RegexValidator(
    r"^[a-z][a-z0-9_]*(:[a-z0-9_-]+)?$", _("Small letters, e.g. billing or lang:en; flows name skills by this.")
)
extension = RegexValidator(r"^[0-9]{2,8}$", _("2 to 8 digits."))


class Skill(Coded):
    code = models.CharField(_("code"), max_length=40, validators=[skill_code])

    class Meta:
        verbose_name = _("skill")
        verbose_name_plural = _("skills")
        ordering = ["code"]
        constraints = [models.UniqueConstraint("tenant", "code", name="skill_once_per_tenant")]


class DeviceChoice(models.TextChoices):
    BROWSER = "browser", _("Browser phone")
    SIP = "sip", _("SIP phone")
    PSTN = "pstn", _("Outside number")


class Agent(TenantOwned):
    """Somebody who serves queues, and the device on which they are reached."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("user"), related_name="agent"
    )
    name = models.CharField(_("name"), max_length=100)
    number = models.CharField(_("extension"), max_length=8, validators=[extension])
    enabled = models.BooleanField(_("enabled"), default=True)
    team = models.ForeignKey(
        "accounts.Team", models.SET_NULL, null=True, blank=True, verbose_name=_("team"), related_name="agents"
    )
    device_kind = models.CharField(
        _("device"), max_length=7, choices=DeviceChoice.choices, default=DeviceChoice.BROWSER
    )
    sip_account = models.OneToOneField(
        "telephony.SipAccount",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("SIP account"),
        related_name="agent",
    )
    outside_number = models.CharField(
        _("outside number"), max_length=33, blank=True, validators=[dialable], help_text=_("For an outside seat.")
    )
    outside_trunk = models.ForeignKey(
        "telephony.Trunk",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("trunk"),
        help_text=_("For an outside seat."),
    )
    kept_open = models.BooleanField(
        _("line kept open"),
        default=False,
        help_text=_(
            "The telephone is called once, when the agent is ready, and stays on the line: callers come with a short"
            " beep instead of ringing. For outside numbers it holds a channel of the trunk all that time."
        ),
    )
    may_decline = models.BooleanField(
        _("may decline offers"), default=True, help_text=_("Where the queue lets it be done.")
    )
    calls_at_once = whole_number(
        _("calls at once"), 0, 1, default=1, help_text=_("From queues. 0: none, e.g. for who only answers in writing.")
    )
    chats_at_once = whole_number(_("chats at once"), 0, 20, default=0)
    emails_at_once = whole_number(_("e-mails at once"), 0, 50, default=0)
    skills = models.ManyToManyField(Skill, through="AgentSkill", blank=True, verbose_name=_("skills"))

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint("tenant", "number", name="extension_once_per_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    @property
    def capacity(self) -> dict[str, int]:
        """How much of each medium at once, by the media's names in the core."""
        return {"voice": self.calls_at_once, "chat": self.chats_at_once, "email": self.emails_at_once}

    def clean(self) -> None:
        if self.device_kind != DeviceChoice.PSTN:
            return
        if not self.outside_number:
            raise ValidationError({"outside_number": _("An outside seat needs a number to ring.")})
        if self.outside_trunk is None:
            raise ValidationError({"outside_trunk": _("An outside seat needs a trunk to be rung through.")})
        if not (self.outside_trunk.enabled and self.outside_trunk.outbound):
            raise ValidationError({"outside_trunk": _("This trunk is disabled or not for outbound calls.")})


class AgentSkill(models.Model):
    agent = models.ForeignKey(Agent, models.CASCADE, verbose_name=_("agent"), related_name="agent_skills")
    skill = models.ForeignKey(Skill, models.PROTECT, verbose_name=_("skill"))
    proficiency = whole_number(_("proficiency"), 1, 5, default=3, help_text=_("1 to 5, 5 is best."))

    class Meta:
        verbose_name = _("skill of an agent")
        verbose_name_plural = _("skills of an agent")
        constraints = [models.UniqueConstraint("agent", "skill", name="skill_once_per_agent")]

    def __str__(self) -> str:
        return f"{self.skill} {self.proficiency}"


class PauseReason(Coded):
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    each_min = whole_number_or_none(
        _("minutes at once"),
        1,
        1440,
        help_text=_("A longer pause is said to the agent and raises an alarm on the floor; nothing is cut off."),
    )
    allowed_min = whole_number_or_none(
        _("minutes a day"),
        1,
        1440,
        help_text=_("All pauses for this reason in one day together; shown to the agent as used and allowed."),
    )

    class Meta:
        verbose_name = _("pause reason")
        verbose_name_plural = _("pause reasons")
        ordering = ["position", "code"]
        constraints = [models.UniqueConstraint("tenant", "code", name="pause_reason_once_per_tenant")]


MOST_LEVELS = 3


class Disposition(Coded):
    """How a call went, chosen in wrap-up: a tree of up to three levels, of which only the last ones can be chosen."""

    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("belongs to"),
        related_name="children",
        help_text=_("At most three levels; what others belong to is a heading and cannot be chosen itself."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("disposition")
        verbose_name_plural = _("dispositions")
        ordering = ["position", "code"]
        constraints = [models.UniqueConstraint("tenant", "code", name="disposition_once_per_tenant")]

    def clean(self) -> None:
        above = self.parent
        levels = 1
        while above is not None:
            levels += 1
            if above.pk == self.pk or levels > MOST_LEVELS:
                raise ValidationError({"parent": _("At most three levels, and no circle.")})
            above = above.parent
        if self.pk and levels + _levels_below(self) > MOST_LEVELS:
            raise ValidationError({"parent": _("With what belongs to it this would be more than three levels.")})


def _levels_below(row: Disposition) -> int:
    """0 for one that can be chosen."""
    return max((1 + _levels_below(child) for child in row.children.all()), default=0)
