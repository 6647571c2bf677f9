"""What an import may be. Beyond it a file is refused with a reason, not tried."""

from __future__ import annotations

from typing import Any

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 60
MOST_CELL_CHARACTERS = 4000
# A zip can hold thousands of times its size. openpyxl reads sheets as a stream, shared texts into memory.
MOST_SHEET_BYTES = 512 * 1024 * 1024
MOST_SHARED_TEXT_BYTES = 64 * 1024 * 1024
MOST_UNDER_WAY = 20  # of a tenant, drafts and running: each holds its file in the database
MOST_ZIP_ENTRIES = 2000
# A row is held in memory whole: sheets so large that one could hurt are looked through before they are opened.
MOST_ROW_BYTES = 8 * 1024 * 1024


class FileRefused(Exception):
    """The file cannot be imported. ``code`` is stable; ``detail`` fills its words."""

    def __init__(self, code: str, **detail: Any) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
