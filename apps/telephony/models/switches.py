"""A FreeSWITCH (or the simulator) that we drive, and the version of the whole configuration."""

from __future__ import annotations

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import TenantOwnedOrShared

# Names that travel into switch files and dial strings: nothing there needs quoting.
file_safe_name = RegexValidator(
    r"^[a-z][a-z0-9_-]{0,39}$", _("Small letters, digits, - and _, starting with a letter.")
)
address_list = RegexValidator(
    r"^[A-Za-z0-9.-]+:\d{1,5}(\|[A-Za-z0-9.-]+:\d{1,5})*$", _("host:port, further ones after |")
)
websocket_address = RegexValidator(
    r"^wss?://[A-Za-z0-9.\-\[\]:]{1,200}(/[A-Za-z0-9._~/-]{0,50})?$",
    _("ws:// or wss://, a host, and a path if need be."),
)
stun_server_list = RegexValidator(
    r"^stuns?:[A-Za-z0-9.:\-]+( stuns?:[A-Za-z0-9.:\-]+)*$", _("stun:host:port, further ones after a space.")
)
PORT = [MinValueValidator(1), MaxValueValidator(65535)]


def random_secret() -> str:
    """For passwords that only machines use: 24 characters that need no quoting anywhere."""
    return secrets.token_hex(12)


class SwitchKind(models.TextChoices):
    FREESWITCH = "freeswitch", "FreeSWITCH"
    SIMULATOR = "simulator", _("Simulator")


class Switch(TenantOwnedOrShared):
    """One switch. Tenants may share it; then it belongs to none."""

    name = models.CharField(_("name"), max_length=40, unique=True, validators=[file_safe_name])
    kind = models.CharField(_("kind"), max_length=12, choices=SwitchKind.choices, default=SwitchKind.FREESWITCH)
    enabled = models.BooleanField(_("enabled"), default=True)

    event_socket_host = models.CharField(
        _("Event Socket host"), max_length=253, default="127.0.0.1", help_text=_("Where the engine reaches the switch.")
    )
    event_socket_port = models.PositiveIntegerField(_("Event Socket port"), default=8021, validators=PORT)
    event_socket_password = models.CharField(_("Event Socket password"), max_length=64, default=random_secret)
    arrival_hosts = models.CharField(
        _("arrival addresses"),
        max_length=500,
        default="127.0.0.1:8084",
        validators=[address_list],
        help_text=_("Where the switch hands calls to the engine, as the switch sees it; a standby after |."),
    )

    domain = models.CharField(
        _("SIP domain"),
        max_length=253,
        default="trunkline.local",
        help_text=_("Domain in which agents' devices register."),
    )
    sip_address = models.CharField(
        _("SIP address"),
        max_length=64,
        default="$${local_ip_v4}",
        help_text=_("Address the SIP profiles listen on; $${local_ip_v4} lets the switch find its own."),
    )
    external_address = models.CharField(
        _("external address"),
        max_length=253,
        blank=True,
        help_text=_("Public address behind NAT; empty: the SIP address."),
    )
    agents_sip_port = models.PositiveIntegerField(_("agents' SIP port"), default=5060, validators=PORT)
    trunks_sip_port = models.PositiveIntegerField(_("trunks' SIP port"), default=5080, validators=PORT)
    ws_port = models.PositiveIntegerField(
        _("WebSocket port"),
        default=5066,
        validators=PORT,
        help_text=_("Plain, bound to loopback for a proxy in front."),
    )
    wss_port = models.PositiveIntegerField(_("secure WebSocket port"), default=7443, validators=PORT)
    websocket_url = models.CharField(
        _("WebSocket address"),
        max_length=253,
        blank=True,
        validators=[websocket_address],
        help_text=_("Where browsers reach it, e.g. wss://cc.example.com/sip; empty: the switch's own secure port."),
    )
    stun_servers = models.CharField(
        _("STUN servers"),
        max_length=500,
        blank=True,
        validators=[stun_server_list],
        help_text=_("For browser phones outside this network, e.g. stun:stun.example.com:3478."),
    )
    rtp_first_port = models.PositiveIntegerField(_("first RTP port"), default=16384, validators=PORT)
    rtp_last_port = models.PositiveIntegerField(_("last RTP port"), default=32768, validators=PORT)
    codecs = models.CharField(
        _("codecs"), max_length=100, default="OPUS,PCMA,PCMU", help_text=_("In order of preference.")
    )
    max_sessions = models.PositiveIntegerField(_("most sessions"), default=1000)
    sessions_per_second = models.PositiveIntegerField(_("sessions per second"), default=30)

    sounds_dir = models.CharField(_("sounds directory"), max_length=500, default="/var/lib/trunkline/sounds")
    recordings_dir = models.CharField(
        _("recordings directory"),
        max_length=500,
        default="/var/lib/trunkline/recordings",
        help_text=_("On the switch's host."),
    )

    class Meta:
        verbose_name = _("switch")
        verbose_name_plural = _("switches")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="rtp_ports_in_order",
                condition=models.Q(rtp_first_port__lt=models.F("rtp_last_port")),
                violation_error_message=_("The last RTP port must be above the first."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ConfigVersion(models.Model):
    """One row: grows with every change that the engine must see (``services.config_changed``)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)
    vips = models.CharField(max_length=64, db_default="", help_text="Digest of the VIPs' numbers in this version.")

    class Meta:
        constraints = [models.CheckConstraint(name="one_config_version", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return str(self.version)
