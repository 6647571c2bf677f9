"""The sound of a recording over HTTP: whole, or the part that a player asks for (RFC 9110 section 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from apps.recordings.models import Recording

CHUNK = 64 * 1024
PART = 4 * 1024 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg"}


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
    """200 with all of it, 206 with a part, or 416. HEAD gets the headers alone.

    Several ranges at once, and units other than bytes, are answered with the whole, as the RFC allows.
    """
    status = path.stat()
    size = status.st_size
    etag = f'"{status.st_mtime_ns:x}-{size:x}"'
    wanted = _wanted(request, etag, size)
    kind = TYPES.get(path.suffix.lower(), "application/octet-stream")
    response: HttpResponseBase
    if wanted is None:
        response = FileResponse(path.open("rb"), content_type=kind)
        response["Content-Length"] = str(size)
    elif wanted.start >= wanted.stop:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        # A server may send less than was asked (section 15.3.7), and a player asks on: under ASGI a part is held in
        # memory whole.
        wanted = wanted[:PART]
        response = StreamingHttpResponse(_part(path, wanted), status=206, content_type=kind)
        response["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
        response["Content-Length"] = str(len(wanted))
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["ETag"] = etag
    return response


def _wanted(request: HttpRequest, etag: str, size: int) -> range | None:
    """The bytes asked for; empty when there are none such; None: all."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or not any(match.groups()) or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size) if int(last) else range(0)
    if last and int(last) < int(first):
        return None  # not a valid range at all
    return range(int(first), min(int(last) + 1, size) if last else size)


def _part(path: Path, wanted: range) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(wanted.start)
        left = len(wanted)
        while left > 0 and (data := file.read(min(CHUNK, left))):
            left -= len(data)
            yield data
