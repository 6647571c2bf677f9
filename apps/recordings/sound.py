"""The sound of a recording over HTTP: whole, or the part that a player asks for (RFC 9110 section 14)."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response

from apps.recordings.models import Recording

CHUNK = 256 * 1024
_RANGES = re.compile(r"bytes[ \t]*=(.*)", re.IGNORECASE | re.ASCII)
_ONE = re.compile(r"([0-9]*)-([0-9]*)")
_DIGITS = 18
"""More than any file has; longer numbers are cut to a number that is beyond every end."""
TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg"}
UNKNOWN = "application/octet-stream"


class NoSound(LookupError):
    """There is no such file within reach: not yet written, moved away, or a path that leaves its directory."""


def file_of(recording: Recording) -> Path:
    """Where the sound is. The stored path is data from outside: it may not leave its directory. Raises ``NoSound``."""
    root = Path(settings.RECORDINGS_DIR).resolve()
    if recording.switch is not None:
        root = root / recording.switch.name
    try:
        path = (root / recording.path).resolve()
        if path.is_relative_to(root.resolve()) and path.is_file():
            return path
    except (OSError, ValueError) as error:  # too long a name, a NUL in it
        raise NoSound(str(error)) from error
    raise NoSound(recording.path)


def answer(request: HttpRequest, path: Path) -> HttpResponseBase:
    """200 with all of it, 206 with a part, 416, or what the request's conditions ask for (304, 412).

    Several ranges at once, units other than bytes and ranges of other methods than GET are answered with the whole, as
    the RFC has it. Raises ``NoSound`` when the file cannot be read.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise NoSound(str(error)) from error
    status = os.fstat(file.fileno())
    size = status.st_size
    etag = f'"{status.st_mtime_ns:x}-{size:x}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is not None:
        file.close()
    else:
        response = _sound_of(file, wanted_range(request, etag, size), size, TYPES.get(path.suffix.lower(), UNKNOWN))
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["ETag"] = etag
    return response


def _sound_of(file: BinaryIO, wanted: range | None, size: int, kind: str) -> HttpResponseBase:
    if wanted is None:
        return Sound(file, range(size), status=200, content_type=kind)
    if not wanted:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = Sound(file, wanted, status=206, content_type=kind)
    part["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    return part


def wanted_range(request: HttpRequest, etag: str, size: int) -> range | None:
    """The bytes asked for; empty when there are none such; None: all."""
    match = _RANGES.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or match is None or request.headers.get("If-Range", etag) != etag:
        return None
    asked = [text for part in match[1].split(",") if (text := part.strip(" \t"))]  # empty elements mean nothing
    one = _ONE.fullmatch(asked[0]) if len(asked) == 1 else None
    if one is None or not any(one.groups()):
        return None
    first, last = (_number(text) if text else None for text in one.groups())
    if first is None:
        return range(max(0, size - (last or 0)), size)
    if last is not None and last < first:
        return None  # not a valid range at all
    return range(min(first, size), min(last + 1, size) if last is not None else size)


def _number(digits: str) -> int:
    return int(digits.lstrip("0")[:_DIGITS] or "0")


class Part:
    """Some bytes of an open file, piece by piece. Closing it while another thread reads waits for that piece."""

    def __init__(self, file: BinaryIO, wanted: range) -> None:
        self._file = file
        self._left = len(wanted)
        file.seek(wanted.start)

    def __iter__(self) -> Part:
        return self

    def __next__(self) -> bytes:
        if data := self.read():
            return data
        raise StopIteration

    def read(self) -> bytes:
        """The next piece; empty at the end."""
        data = self._file.read(min(CHUNK, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()


class Sound(StreamingHttpResponse):
    """Read as the listener takes it: Django collects a plain iterator in memory before an ASGI server sends any."""

    def __init__(self, file: BinaryIO, wanted: range, *, status: int, content_type: str) -> None:
        self._part = Part(file, wanted)
        super().__init__(self._part, status=status, content_type=content_type)
        self["Content-Length"] = str(len(wanted))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self._part.read, thread_sensitive=False)
        while data := await read():
            yield data
