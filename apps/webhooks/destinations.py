"""Where a message may go: not into the installation's own network, whatever a name resolves to.

The address is looked up at the time of sending, every address it resolves to is judged, and the connection goes to
one of those that were judged: a name that changes its mind in between (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Barred(OSError):
    """The address may not be sent to; the message says which and why."""


def validate_url(url: str) -> None:
    """Raises ``ValidationError`` for what can never be sent to. Names are judged when they are resolved."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
        (host or "").encode("idna")
    except ValueError:
        raise ValidationError(_("This is no address."), code="url") from None
    if parts.scheme not in ("https", "http") or not host or any(letter.isspace() or letter < "!" for letter in url):
        raise ValidationError(_("Expected an address such as https://crm.example.com/hooks."), code="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValidationError(_("No user name, password or # in the address, please."), code="url")
    literal = _literal(host)
    if literal is not None and not may_reach(literal, parts.scheme):
        raise ValidationError(_("Messages may not be sent to this address."), code="barred")
    if literal is None and parts.scheme == "http" and not settings.WEBHOOK_NETWORKS:
        raise ValidationError(_("Only https, please: messages hold numbers of people."), code="scheme")


def may_reach(address: Address, scheme: str) -> bool:
    """Public addresses by https; others only where the installation lists their network (``WEBHOOK_NETWORKS``)."""
    inner = _inner(address)
    listed = any(inner in network for network in settings.WEBHOOK_NETWORKS if inner.version == network.version)
    if listed:
        return True
    return scheme == "https" and inner.is_global and not inner.is_multicast and address.is_global


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo is not None else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _literal(host: str) -> Address | None:
    """An address written as one, in any notation that the resolver of this system would accept (0x7f.1, 2130706433)."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


class JudgingResolver(AbstractResolver):
    """Resolves as the system does and raises ``Barred`` when any of the addresses may not be reached."""

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        judge([item["host"] for item in found], self._scheme)
        return found

    async def close(self) -> None:
        await self._inner.close()


def judge(addresses: Sequence[str], scheme: str) -> None:
    """Raises ``Barred``. One barred address among many is enough: the next try might take it."""
    for text in addresses:
        if not may_reach(ipaddress.ip_address(text.partition("%")[0]), scheme):
            raise Barred(f"{text} is not a public address that may be reached by {scheme}")
