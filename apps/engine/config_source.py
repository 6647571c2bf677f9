"""Configuration from PostgreSQL, by NOTIFY or by looking now and then, and the last good one in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction

from apps.core import codec
from apps.core.codec import CodecError
from apps.core.config import CenterConfig
from apps.core.ids import SwitchId, TrunkId
from apps.engine import checkpoint
from apps.engine.drivers import SwitchSpec
from apps.engine.worker import Worker
from apps.telephony.center_config import compile_center_config, current_version
from apps.telephony.models import Switch, Trunk
from apps.telephony.services import CONFIG_CHANNEL

log = structlog.get_logger(__name__)

CACHE_FILE = "config.json"
LOOK_EVERY_S = 1.0
AWAY_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Everything the engine needs to run: the core's configuration and the drivers' settings."""

    config: CenterConfig
    switches: tuple[SwitchSpec, ...]


def load(engine: int) -> Loaded:
    """From one consistent snapshot of the database, for engine number ``engine``. Raises what the database raises."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return Loaded(config=compile_center_config(current_version()), switches=switch_specs(engine))


def switch_specs(engine: int) -> tuple[SwitchSpec, ...]:
    """One for each enabled switch. Drivers get all its trunks: their state shows before they are enabled for calls."""
    gateways: dict[int, dict[str, TrunkId]] = {}
    for trunk in Trunk.objects.all():
        gateways.setdefault(trunk.switch_id, {})[trunk.gateway] = TrunkId(str(trunk.pk))
    rows = Switch.objects.filter(enabled=True).order_by("pk")
    specs = (_spec(row, gateways.get(row.pk, {}), engine) for row in rows)
    return tuple(spec for spec in specs if spec is not None)


def _spec(row: Switch, gateways: dict[str, TrunkId], engine: int) -> SwitchSpec | None:
    """None where the row has no arrival address for this engine: the first is the first one's, and so on."""
    addresses = row.arrival_hosts.split("|")
    if len(addresses) < engine:
        log.error("switch_without_address_for_us", switch=row.pk, name=row.name, engine=engine, has=row.arrival_hosts)
        return None
    host, _, port = addresses[engine - 1].rpartition(":")
    return SwitchSpec(
        switch=SwitchId(str(row.pk)),
        name=row.name,
        host=row.event_socket_host,
        port=row.event_socket_port,
        password=row.event_socket_password,
        arrival_host=host,
        arrival_port=int(port),
        domain=row.domain,
        sounds_dir=row.sounds_dir,
        recordings_dir=row.recordings_dir,
        gateways=gateways,
    )


def read_cache(directory: Path) -> Loaded | None:
    """What was last good; nothing when there is none or an older version wrote it."""
    try:
        data = orjson.loads((directory / CACHE_FILE).read_bytes())
        loaded: Loaded = codec.from_plain(Loaded, data, "config")
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError, CodecError) as error:
        log.warning("cached_config_unusable", detail=str(error))
        return None
    return loaded


def write_cache(directory: Path, loaded: Loaded) -> None:
    """Readable by this user only: it holds the switches' passwords."""
    try:
        checkpoint.write_file(directory / CACHE_FILE, orjson.dumps(codec.to_plain(loaded)))
    except OSError as error:
        log.warning("config_not_cached", detail=str(error))


class ConfigWatcher(Worker):
    """Calls ``changed`` from its thread with each new configuration, the first included."""

    name = "config"

    def __init__(
        self, directory: Path, known: Loaded | None, changed: Callable[[Loaded], None], *, engine: int = 1
    ) -> None:
        super().__init__()
        self._engine = engine
        self._directory = directory
        self._known = known
        self._changed = changed
        self._listening: psycopg.Connection[Any] | None = None
        self._fresh = False
        self.trouble = ""

    def step(self) -> float:
        try:
            close_old_connections()
            self._look()
            self.trouble = ""
            return self._listen()
        except (OperationalError, InterfaceError, psycopg.Error) as error:
            return self._database_away(error)

    def _look(self) -> None:
        """The version is cheap to read; the rest is compiled when it differs, and once at the start."""
        if self._fresh and self._known is not None and current_version() == self._known.config.version:
            return
        loaded = load(self._engine)
        self._fresh = True
        if loaded != self._known:
            self._known = loaded
            write_cache(self._directory, loaded)
            log.info("config_loaded", version=loaded.config.version, switches=len(loaded.switches))
            self._changed(loaded)

    def _listen(self) -> float:
        """Wait for the word of a change, or for the time to look anyway."""
        if self._listening is None:
            self._listening = psycopg.connect(**_listen_settings(), autocommit=True, connect_timeout=5)
            self._listening.execute(f"LISTEN {CONFIG_CHANNEL}")
            return 0.0  # what changed before we listened is looked for first
        for _ in self._listening.notifies(timeout=LOOK_EVERY_S, stop_after=1):
            break
        return 0.0

    def _database_away(self, error: Exception) -> float:
        if not self.trouble:
            log.warning("config_waits", detail=str(error).strip())
        self.trouble = str(error).strip() or type(error).__name__
        self._hang_up()
        connection.close()
        return AWAY_PAUSE_S

    def _hang_up(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def close(self) -> None:
        self._hang_up()
        connection.close()


def _listen_settings() -> dict[str, Any]:
    """Django's own connection settings, outside its pool: this connection is kept."""
    settings: dict[str, Any] = connection.get_connection_params()
    return {key: value for key, value in settings.items() if key in _LIBPQ_KEYS}


_LIBPQ_KEYS = {
    "dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "service", "passfile",
}  # fmt: skip
