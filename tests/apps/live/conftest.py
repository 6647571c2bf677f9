from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from asgiref.sync import sync_to_async

from apps.live.hub import hub
from tests.apps.live.door import TOKEN, Engine, running
from tests.apps.live.tabs import populate


@pytest_asyncio.fixture
async def engine(settings: Any, transactional_db: None) -> AsyncIterator[Engine]:
    """The door of an engine, which this process's pages are fed from."""
    await sync_to_async(populate)()
    async with running() as door:
        settings.ENGINE_URL, settings.ENGINE_TOKEN = door.url, TOKEN
        yield door
        await hub().stop()
