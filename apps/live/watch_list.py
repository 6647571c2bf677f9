"""Which agents had a page here, kept in a file, so that the next web process misses those who do not come back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson
import structlog

from apps.core.ids import AgentId, TenantId
from apps.live.presence import Seat

log = structlog.get_logger(__name__)


class WatchList:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: set[Seat] | None = None

    def read(self) -> set[Seat]:
        """Empty when there is none, or none of ours."""
        try:
            pairs = orjson.loads(self._path.read_bytes())
            self._kept = {Seat(TenantId(str(tenant)), AgentId(str(agent))) for tenant, agent in pairs}
        except FileNotFoundError:
            self._kept = set()
        except (OSError, ValueError, TypeError) as error:
            log.warning("watch_list_unusable", path=str(self._path), error=str(error))
            self._kept = set()
        return set(self._kept)

    def keep(self, seats: Iterable[Seat]) -> None:
        """Written only when it changed. A full disk costs this list, not a page."""
        wanted = set(seats)
        if wanted == self._kept:
            return
        self._kept = wanted
        draft = self._path.with_name(f".{self._path.name}.new")
        try:
            draft.write_bytes(orjson.dumps([list(seat) for seat in sorted(wanted)]))
            draft.replace(self._path)
        except OSError as error:
            log.warning("watch_list_not_kept", path=str(self._path), error=str(error))
