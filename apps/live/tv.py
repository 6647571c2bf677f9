"""``/ws/tv/<token>/``: a television on a wall. It only listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.accounts.models import User
from apps.core.ids import TenantId
from apps.live.consumers import LivePage
from apps.reports.models import WallScreen, digest


def screen_of(token: str) -> WallScreen | None:
    """The screen that this token is for; None when it was switched off or renewed."""
    return WallScreen.objects.select_related("tenant").filter(token_digest=digest(token), enabled=True).first()


class TvPage(LivePage):
    def admitted(self) -> bool:
        self.session_key = ""
        self.token: str = self.scope["url_route"]["kwargs"]["token"]
        self.screen = screen_of(self.token)
        return self.screen is not None

    def stands(self, users: Mapping[str, User]) -> bool:
        """The screen was neither switched off nor given a new address."""
        return screen_of(self.token) is not None

    async def permitted(self) -> bool:
        return self.screen is not None

    def whose(self) -> str:
        return f"screen-{self.screen.pk}" if self.screen is not None else ""

    def join(self) -> None:
        assert self.screen is not None
        self.hub.open_tv(TenantId(str(self.screen.tenant_id)), self)

    async def take(self, kind: str, message: dict[str, Any]) -> None:
        if kind == "command":
            self.reply(type="error", code="not_permitted", detail="a screen only shows")
        else:
            await super().take(kind, message)
