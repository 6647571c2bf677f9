from __future__ import annotations

import stat
from pathlib import Path

import pytest
from django.db import OperationalError

from apps.core.config import CenterConfig, TenantConfig
from apps.core.ids import TenantId
from apps.engine import config_source
from apps.engine.config_source import CACHE_FILE, ConfigWatcher, Loaded, read_cache, write_cache
from tests.engine.rig import wait_until
from tests.engine.test_watchdog import spec


def loaded(version: int = 1) -> Loaded:
    tenant = TenantConfig(id=TenantId("1"), name="云桥", dispositions=("sold",))
    return Loaded(config=CenterConfig(version=version, tenants={tenant.id: tenant}), switches=(spec(),))


def test_the_cache_gives_back_what_was_put_in_and_is_for_our_eyes_only(tmp_path: Path) -> None:
    write_cache(tmp_path, loaded())
    assert read_cache(tmp_path) == loaded()
    assert stat.S_IMODE((tmp_path / CACHE_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"config": {}}', b'{"config": {"version": 1}, "switches": [{}]}']
)
def test_a_cache_that_cannot_be_read_is_no_cache(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CACHE_FILE).write_bytes(content)
    assert read_cache(tmp_path) is None


def test_a_password_is_not_shown_in_a_log(tmp_path: Path) -> None:
    assert "secret" not in repr(loaded())


def test_a_database_that_is_away_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    changed: list[Loaded] = []

    def load(engine: int) -> Loaded:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("the server is gone")
        return loaded(7)

    def never_listens(self: ConfigWatcher) -> float:
        return 0.05

    monkeypatch.setattr(config_source, "load", load)
    monkeypatch.setattr(config_source, "current_version", lambda: 7)
    monkeypatch.setattr(config_source, "AWAY_PAUSE_S", 0.02)
    monkeypatch.setattr(ConfigWatcher, "_listen", never_listens)
    watcher = ConfigWatcher(tmp_path, None, changed.append)
    watcher.start()
    wait_until(lambda: changed)
    watcher.stop()
    assert changed == [loaded(7)]
    assert read_cache(tmp_path) == loaded(7)
