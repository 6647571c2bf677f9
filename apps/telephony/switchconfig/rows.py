"""A switch's specification from the rows of the database."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from apps.accounts.models import Tenant
from apps.telephony.models import Did, MusicClass, Prompt, SipAccount, Switch, Trunk
from apps.telephony.switchconfig.spec import AccountSpec, FallbackSpec, GatewaySpec, MusicSpec, NetworkSpec, SwitchSpec

GOODBYE_PROMPT = "goodbye"
UNUSED_SECRET = "not-used-0"
SPOKEN = {"zh-hans": ("zh", "en"), "en": ("en", "zh")}


def switch_spec(switch: Switch) -> SwitchSpec:
    """Everything enabled on this switch. Raises ``BadValue`` naming the row that cannot be written."""
    trunks = list(Trunk.objects.filter(switch=switch, enabled=True).order_by("gateway"))
    accounts = SipAccount.objects.filter(switch=switch, enabled=True).select_related("tenant").order_by("username")
    return SwitchSpec(
        name=switch.name,
        domain=switch.domain,
        sip_address=switch.sip_address,
        external_address=switch.external_address,
        trunks_sip_port=switch.trunks_sip_port,
        agents_sip_port=switch.agents_sip_port,
        ws_port=switch.ws_port,
        wss_port=switch.wss_port,
        rtp_first_port=switch.rtp_first_port,
        rtp_last_port=switch.rtp_last_port,
        event_socket_address=_listening_address(switch.event_socket_host),
        event_socket_port=switch.event_socket_port,
        event_socket_password=switch.event_socket_password,
        sockets=switch.arrival_hosts,
        engines=tuple(_engines(switch.arrival_hosts)),
        trunk_codecs=_codecs(trunk.codecs for trunk in trunks) or "PCMA,PCMU",
        agent_codecs=switch.codecs,
        max_sessions=switch.max_sessions,
        sessions_per_second=switch.sessions_per_second,
        sounds_dir=switch.sounds_dir,
        gateways=tuple(_gateway(trunk) for trunk in trunks),
        trunk_peers=tuple(_peers(trunks)),
        accounts=tuple(
            AccountSpec(name=account.username, secret=account.secret, tenant=account.tenant.code)
            for account in accounts
        ),
        music=tuple(_music(switch.sounds_dir)),
        fallbacks=tuple(_fallbacks(switch, trunks)),
    )


def _gateway(trunk: Trunk) -> GatewaySpec:
    return GatewaySpec(
        name=trunk.gateway,
        proxy=trunk.proxy,
        realm=_host(trunk.proxy),
        username=trunk.username or trunk.gateway,
        password=trunk.password or UNUSED_SECRET,
        transport=trunk.transport,
        register=trunk.register,
    )


def _host(host_port: str) -> str:
    """Without the port and the brackets of an IPv6 address."""
    return re.sub(r":\d+$", "", host_port).strip("[]") if host_port.count(":") < 2 or "]" in host_port else host_port


def _network(host: str) -> NetworkSpec:
    try:
        return NetworkSpec(cidr=str(ipaddress.ip_network(host)))
    except ValueError:
        return NetworkSpec(host=host)


def _peers(trunks: Iterable[Trunk]) -> Iterable[NetworkSpec]:
    """Where calls may come from: a trunk's networks, else its proxy."""
    for trunk in trunks:
        networks = trunk.allowed_networks.split()
        yield from (NetworkSpec(cidr=network) for network in networks)
        if not networks:
            yield _network(_host(trunk.proxy))


def _engines(sockets: str) -> Iterable[NetworkSpec]:
    """Engines command the switch from where they take its calls."""
    for item in sockets.split("|"):
        network = _network(_host(item))
        if not (network.cidr and ipaddress.ip_network(network.cidr).is_loopback):
            yield network


def _listening_address(host: str) -> str:
    """Loopback while the engine is on the switch's host; else all addresses, guarded by the access list of engines."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "127.0.0.1" if host == "localhost" else "0.0.0.0"
    return host if address.is_loopback else "0.0.0.0"


def _codecs(lists: Iterable[str]) -> str:
    """All codecs of all trunks, in the order of first mention: a profile has one list."""
    return ",".join(dict.fromkeys(codec.strip() for codecs in lists for codec in codecs.split(",") if codec.strip()))


def _music(sounds_dir: str) -> Iterable[MusicSpec]:
    directories = {music.name: music.directory for music in MusicClass.objects.order_by("name")}
    for name, directory in ({"default": "music"} | directories).items():
        yield MusicSpec(name=name, path=f"{sounds_dir}/{directory}")


def _fallbacks(switch: Switch, trunks: Iterable[Trunk]) -> Iterable[FallbackSpec]:
    """One for each tenant with numbers on this switch, the last for numbers that nobody has."""
    outbound = [trunk for trunk in trunks if trunk.outbound]
    fallbacks = [_fallback(tenant, switch, outbound) for tenant in Tenant.objects.filter(did__switch=switch).distinct()]
    yield from fallbacks
    spoken = next((fallback for fallback in fallbacks if fallback.sounds), FallbackSpec(name="none"))
    yield FallbackSpec(name="unknown-number", sounds=spoken.sounds, goodbye_sounds=spoken.goodbye_sounds)


def _fallback(tenant: Tenant, switch: Switch, outbound: Iterable[Trunk]) -> FallbackSpec:
    trunk = (
        next((trunk for trunk in outbound if trunk.tenant_id == tenant.pk), None) if tenant.fallback_number else None
    )
    return FallbackSpec(
        name=tenant.code,
        dids=tuple(
            Did.objects.filter(tenant=tenant, switch=switch).order_by("number").values_list("number", flat=True)
        ),
        sounds=_spoken(tenant, tenant.apology_prompt),
        goodbye_sounds=_spoken(tenant, GOODBYE_PROMPT),
        gateway=trunk.gateway if trunk else "",
        number=tenant.fallback_number if trunk else "",
        caller_number=trunk.caller_number if trunk else "",
    )


def _spoken(tenant: Tenant, code: str) -> tuple[str, ...]:
    """The prompt in both languages, the tenant's own first."""
    prompt = Prompt.objects.filter(tenant=tenant, code=code).first()
    sounds = prompt.sounds() if prompt else {}
    return tuple(sounds[lang] for lang in SPOKEN[tenant.language] if lang in sounds)
