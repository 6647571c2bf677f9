"""Trunks to the outside, the numbers that come in by them, and the accounts with which devices register."""

from __future__ import annotations

import ipaddress

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.fields import whole_number_or_none
from apps.accounts.models import TenantOwned, dialable
from apps.telephony.models.switches import Switch, file_safe_name, random_secret

host_port = RegexValidator(r"^[A-Za-z0-9.\[\]:-]{1,253}$", _("A host name or address, with an optional :port."))
sip_token = RegexValidator(r"^[A-Za-z0-9._+-]{1,64}$", _("Letters, digits and . _ + - only."))
# A secret stands inside XML attributes and digest computations; these characters need no quoting in either.
sip_secret = RegexValidator(r"^[A-Za-z0-9._~!@*()+=-]{8,64}$", _("8 to 64 letters, digits or . _ ~ ! @ * ( ) + = -"))


def validate_networks(text: str) -> None:
    for item in text.split():
        try:
            ipaddress.ip_network(item)
        except ValueError as error:
            raise ValidationError(
                _("%(item)s is not a network such as 203.0.113.0/24."), params={"item": item}
            ) from error


class Trunk(TenantOwned):
    """A SIP trunk or an E1 gateway: a gateway on one switch."""

    switch = models.ForeignKey(Switch, models.PROTECT, verbose_name=_("switch"))
    name = models.CharField(_("name"), max_length=100)
    gateway = models.CharField(
        _("gateway"), max_length=40, validators=[file_safe_name], help_text=_("Its name on the switch.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    outbound = models.BooleanField(_("outbound"), default=True, help_text=_("May be dialled out through."))
    proxy = models.CharField(_("proxy"), max_length=253, validators=[host_port], help_text=_("host or host:port"))
    transport = models.CharField(
        _("transport"), max_length=3, choices=[("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS")], default="udp"
    )
    register = models.BooleanField(_("register"), default=False, help_text=_("Register with the provider."))
    username = models.CharField(_("user name"), max_length=64, blank=True, validators=[sip_token])
    password = models.CharField(_("password"), max_length=64, blank=True, validators=[sip_secret])
    caller_number = models.CharField(
        _("caller number"), max_length=33, blank=True, validators=[dialable], help_text=_("Shown to the called party.")
    )
    allowed_networks = models.TextField(
        _("allowed networks"),
        blank=True,
        validators=[validate_networks],
        help_text=_(
            "Networks that calls may come from, one per line, e.g. 203.0.113.0/24. Empty: only the proxy's address."
        ),
    )
    codecs = models.CharField(_("codecs"), max_length=100, default="PCMA,PCMU")
    max_calls = models.PositiveIntegerField(_("most calls"), default=30)

    class Meta:
        verbose_name = _("trunk")
        verbose_name_plural = _("trunks")
        ordering = ["name"]
        constraints = [models.UniqueConstraint("switch", "gateway", name="gateway_once_per_switch")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.register and not (self.username and self.password):
            raise ValidationError({"register": _("A trunk that registers needs a user name and a password.")})


class Did(TenantOwned):
    """A number that people call, and the flow that answers."""

    switch = models.ForeignKey(Switch, models.PROTECT, verbose_name=_("switch"))
    number = models.CharField(
        _("number"), max_length=33, validators=[dialable], help_text=_("Exactly as the switch reports it.")
    )
    flow = models.ForeignKey("ivr.Flow", models.PROTECT, verbose_name=_("flow"))
    priority = whole_number_or_none(
        _("priority"),
        0,
        9,
        help_text=_("Of its callers in every queue, at least: 0 to 9. Empty: as flow and queue say."),
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("number (DID)")
        verbose_name_plural = _("numbers (DID)")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                "switch",
                "number",
                name="did_once_per_switch",
                violation_error_message=_("This switch already has this number."),
            )
        ]

    def __str__(self) -> str:
        return self.number

    def clean(self) -> None:
        if self.flow_id is not None:
            self.flow.must_answer("flow")


class SipAccountKind(models.TextChoices):
    BROWSER = "browser", _("Browser")
    SIP = "sip", _("SIP phone")


class SipAccount(TenantOwned):
    """What a browser phone or a desk phone registers with. The secret is random and never chosen by a person."""

    switch = models.ForeignKey(Switch, models.PROTECT, verbose_name=_("switch"))
    username = models.CharField(_("user name"), max_length=64, validators=[sip_token])
    secret = models.CharField(_("secret"), max_length=64, default=random_secret, validators=[sip_secret])
    kind = models.CharField(_("kind"), max_length=7, choices=SipAccountKind.choices, default=SipAccountKind.BROWSER)
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("SIP account")
        verbose_name_plural = _("SIP accounts")
        ordering = ["username"]
        constraints = [models.UniqueConstraint("switch", "username", name="sip_account_once_per_switch")]

    def __str__(self) -> str:
        return self.username
