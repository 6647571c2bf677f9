"""The only place that reads the environment. ``VARIABLES`` documents every name; all have a default that works.

What operators tune (queues, trunks, switches, texts) is a row in the database, not a variable here.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parents[2]

# name -> (default, meaning)
VARIABLES: dict[str, tuple[str, str]] = {
    "DEBUG": ("false", "true shows tracebacks in the browser and allows plain http; never in production"),
    "SECRET_KEY": ("", "Django's signing key; empty: made once and kept in STATE_DIR/secret_key"),
    "ENCRYPTION_KEYS": (
        "",
        "keys for secrets in the database (of webhooks, second factors), comma separated, 32 characters or more each;"
        " the first encrypts, all decrypt; empty: SECRET_KEY",
    ),
    "ALLOWED_HOSTS": ("localhost,127.0.0.1,[::1]", "host names that the web answers to, comma separated"),
    "CSRF_TRUSTED_ORIGINS": ("", "origins behind a proxy, e.g. https://cc.example.com, comma separated"),
    "SECURE_COOKIES": ("", "true or false; empty: true unless DEBUG. False only where there is no TLS at all"),
    "DATABASE_URL": (
        "postgresql://trunkline@127.0.0.1:5432/trunkline",
        "postgresql://user:password@host:port/name; postgresql://user@/name?host=/dir for a unix socket",
    ),
    "DATABASE_POOL": ("10", "most database connections of one process"),
    "REDIS_URL": ("redis://127.0.0.1:6379/0", "redis://, rediss:// or unix:///path; for Celery and side channels only"),
    "UI_LANGUAGE": ("zh-hans", "interface language where the user has chosen none: zh-hans or en"),
    "TIME_ZONE": ("Asia/Shanghai", "time zone of the admin and of tenants that set none"),
    "STATE_DIR": (".run", "directory for what this host keeps: generated keys, the journal; relative to the checkout"),
    "JOURNAL_DIR": ("", "the engine's journal, on a local disk; empty: STATE_DIR/journal"),
    "RECORDINGS_DIR": ("recordings", "where recordings are read from, one directory per switch"),
    "RECORDINGS_FREE_MB": ("2048", "below this much free disk under RECORDINGS_DIR an alarm is raised"),
    "WEBHOOK_NETWORKS": (
        "",
        "networks that webhooks may be sent to besides public addresses, e.g. 10.20.0.0/16, comma separated;"
        " http is allowed to these only",
    ),
    "CDR_DIR": ("", "where switches' call record files are read from, one directory per switch; empty: STATE_DIR/cdr"),
    "STATIC_ROOT": ("staticfiles", "where collectstatic puts files"),
    "ENGINE_URL": (
        "http://127.0.0.1:8090",
        "the engine's door as the web reaches it; with a standby those of all engines, comma separated, in order",
    ),
    "ENGINE_NUMBER": ("1", "which of the engines in ENGINE_URL, and in a switch's arrival addresses, runs here"),
    "ENGINE_BIND": ("127.0.0.1:8090", "address and port on which the engine's door listens"),
    "ENGINE_TOKEN": ("", "secret between web and engine; empty: made once and kept in STATE_DIR/engine_token"),
    "JOURNAL_KEEP_HOURS": ("24", "how long the journal keeps what PostgreSQL has already"),
    "JOURNAL_FREE_MB": ("512", "below this much free disk under the journal the engine takes no new calls"),
    "NOTIFY_SOCKET": ("", "set by systemd, for its watchdog; leave it alone"),
    "METRICS_TOKEN": ("", "bearer token for the web's /metrics; empty: there is no such page"),
    "TURN_SERVERS": (
        "",
        "TURN servers for browser phones behind strict networks, comma separated,"
        " e.g. turn:turn.example.com:3478?transport=udp,turns:turn.example.com:443?transport=tcp",
    ),
    "TURN_SECRET": ("", "the secret shared with the TURN servers (coturn: static-auth-secret), 32 characters or more"),
    "TURN_VALID_S": ("14400", "how long a TURN password handed to a page is good; pages fetch new ones in time"),
    "LOG_LEVEL": ("INFO", "DEBUG, INFO, WARNING or ERROR"),
    "LOG_FORMAT": ("json", "json for machines, console for people"),
}  # fmt: skip

SHORTEST_KEY = 32
TURN_URL = re.compile(r"turns?:[A-Za-z0-9.\-\[\]:]+(\?transport=(udp|tcp))?")


class BadVariable(ValueError):
    """A variable holds something we cannot use; the message names it and what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    debug: bool
    secret_key: str
    encryption_keys: tuple[str, ...]
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    secure_cookies: bool
    database: dict[str, Any]
    redis_url: str
    celery_url: str
    language: str
    time_zone: str
    state_dir: Path
    journal_dir: Path
    recordings_dir: Path
    recordings_free_mb: int
    webhook_networks: tuple[IPv4Network | IPv6Network, ...]
    cdr_dir: Path
    static_root: Path
    engine_url: str
    engine_number: int
    engine_bind: str
    engine_token: str
    journal_keep_hours: int
    journal_free_mb: int
    notify_socket: str
    metrics_token: str
    turn_servers: tuple[str, ...]
    turn_secret: str
    turn_valid_s: int
    log_level: str
    log_format: str


def load(source: Mapping[str, str]) -> Environment:
    """The environment as typed values. Raises ``BadVariable`` for one that cannot be used."""
    text = {name: source.get(name, "").strip() or default for name, (default, _) in VARIABLES.items()}
    debug = _flag("DEBUG", text["DEBUG"])
    state_dir = BASE_DIR / text["STATE_DIR"]
    secret_key = text["SECRET_KEY"] or _kept_secret(state_dir / "secret_key")
    return Environment(
        debug=debug,
        secret_key=secret_key,
        encryption_keys=tuple(_long_items("ENCRYPTION_KEYS", text["ENCRYPTION_KEYS"])) or (secret_key,),
        allowed_hosts=_items(text["ALLOWED_HOSTS"]),
        csrf_trusted_origins=_items(text["CSRF_TRUSTED_ORIGINS"]),
        secure_cookies=_flag("SECURE_COOKIES", text["SECURE_COOKIES"]) if text["SECURE_COOKIES"] else not debug,
        database=database(text["DATABASE_URL"], pool_size=_number("DATABASE_POOL", text["DATABASE_POOL"])),
        redis_url=text["REDIS_URL"],
        celery_url=_celery_url(text["REDIS_URL"]),
        language=_choice("UI_LANGUAGE", text["UI_LANGUAGE"], ("zh-hans", "en")),
        time_zone=text["TIME_ZONE"],
        state_dir=state_dir,
        journal_dir=BASE_DIR / text["JOURNAL_DIR"] if text["JOURNAL_DIR"] else state_dir / "journal",
        recordings_dir=BASE_DIR / text["RECORDINGS_DIR"],
        recordings_free_mb=_number("RECORDINGS_FREE_MB", text["RECORDINGS_FREE_MB"]),
        webhook_networks=tuple(_network("WEBHOOK_NETWORKS", item) for item in _items(text["WEBHOOK_NETWORKS"])),
        cdr_dir=BASE_DIR / text["CDR_DIR"] if text["CDR_DIR"] else state_dir / "cdr",
        static_root=BASE_DIR / text["STATIC_ROOT"],
        engine_url=",".join(url.rstrip("/") for url in _items(text["ENGINE_URL"])),
        engine_number=_number("ENGINE_NUMBER", text["ENGINE_NUMBER"]),
        engine_bind=text["ENGINE_BIND"],
        engine_token=text["ENGINE_TOKEN"] or _kept_secret(state_dir / "engine_token"),
        journal_keep_hours=_number("JOURNAL_KEEP_HOURS", text["JOURNAL_KEEP_HOURS"]),
        journal_free_mb=_number("JOURNAL_FREE_MB", text["JOURNAL_FREE_MB"]),
        notify_socket=text["NOTIFY_SOCKET"],
        metrics_token=text["METRICS_TOKEN"],
        **_turn(text["TURN_SERVERS"], text["TURN_SECRET"], text["TURN_VALID_S"]),
        log_level=_choice("LOG_LEVEL", text["LOG_LEVEL"].upper(), ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format=_choice("LOG_FORMAT", text["LOG_FORMAT"], ("json", "console")),
    )


def _turn(servers: str, secret: str, valid_s: str) -> dict[str, Any]:
    urls = tuple(_items(servers))
    if any(not TURN_URL.fullmatch(url) for url in urls):
        raise BadVariable("TURN_SERVERS must hold addresses such as turn:turn.example.com:3478?transport=udp")
    if (urls or secret) and len(secret) < SHORTEST_KEY:
        raise BadVariable(f"TURN_SECRET must be {SHORTEST_KEY} characters or more")
    return {"turn_servers": urls, "turn_secret": secret, "turn_valid_s": _number("TURN_VALID_S", valid_s)}


def database(url: str, *, pool_size: int) -> dict[str, Any]:
    """Django's settings for a ``postgresql://`` URL.

    Connections come from psycopg's own pool: Django's persistent connections leak under ASGI.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise BadVariable("DATABASE_URL must look like postgresql://user:password@host:5432/name")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", unquote(parts.hostname or "")),
        "PORT": query.pop("port", str(parts.port or "")),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": pool_size, "timeout": 10}, **query},
    }


def _kept_secret(path: Path) -> str:
    """A random secret, made on first use and readable by this user only.

    Several processes may start at once: the first to link the name wins, all read the same value.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another process was first; its value counts
        finally:
            draft.unlink()
    return path.read_text().strip()


def _celery_url(redis_url: str) -> str:
    """Celery spells a Redis unix socket its own way."""
    return "redis+socket://" + redis_url.removeprefix("unix://") if redis_url.startswith("unix://") else redis_url


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _long_items(name: str, text: str) -> list[str]:
    items = _items(text)
    if any(len(item) < SHORTEST_KEY for item in items):
        raise BadVariable(f"{name} must hold keys of {SHORTEST_KEY} characters or more each")
    return items


def _network(name: str, text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise BadVariable(f"{name} must hold networks such as 10.20.0.0/16, not {text!r}") from None


def _flag(name: str, text: str) -> bool:
    return _choice(name, text.lower(), ("true", "false", "1", "0")) in ("true", "1")


def _number(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise BadVariable(f"{name} must be a positive whole number, not {text!r}")
    return int(text)


def _choice(name: str, text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise BadVariable(f"{name} must be one of {', '.join(allowed)}, not {text!r}")
    return text


env = load(os.environ)
