"""Rows that travel into a switch's files: the admin refuses what writing the files would refuse, by the same rules.

One such row would otherwise keep the files of the whole switch, all its tenants', from being written.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from apps.accounts.tenant_admin import TenantForm
from apps.telephony.models.lines import host_port, sip_secret
from apps.telephony.switchconfig import spec

HOST = _("A host name or an address.")
CODECS = _("Codec names separated by commas, such as PCMA,PCMU.")
DIRECTORY = _("An absolute path of letters, digits and . _ - on the switch's host.")
SUBDIRECTORY = _("A path of letters, digits and . _ - below the sounds directory.")


class FileSafeForm(TenantForm):
    """``rules``: field -> the files' rule for it, and what to say."""

    rules: ClassVar[dict[str, tuple[spec.Rule, Any]]] = {}

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        for name, (rule, message) in self.rules.items():
            try:
                rule.check("", name, data.get(name, ""))
            except spec.BadValue:
                if name in data:
                    self.add_error(name, message)
        return data


class SwitchForm(FileSafeForm):
    rules: ClassVar = {
        "event_socket_host": (spec.HOST, HOST),
        "event_socket_password": (spec.SECRET, sip_secret.message),
        "domain": (spec.HOST, HOST),
        "sip_address": (spec.LOCAL_ADDRESS, HOST),
        "external_address": (spec.OPTIONAL_HOST, HOST),
        "codecs": (spec.CODECS, CODECS),
        "sounds_dir": (spec.DIRECTORY, DIRECTORY),
        "recordings_dir": (spec.DIRECTORY, DIRECTORY),
    }


class MusicClassForm(FileSafeForm):
    rules: ClassVar = {"directory": (spec.SUBDIRECTORY, SUBDIRECTORY)}


class TrunkFileForm(FileSafeForm):
    rules: ClassVar = {"proxy": (spec.HOST_PORT, host_port.message), "codecs": (spec.CODECS, CODECS)}
