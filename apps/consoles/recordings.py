"""Recordings for the browser's player: one file, whole or a range of it, to those who may hear it."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from apps.accounts.permissions import can
from apps.calls.visibility import visible_calls
from apps.live import access
from apps.recordings.models import Recording

PART = 2 * 1024 * 1024
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def file_of(recording: Recording) -> Path:
    """Where the sound is. The stored path is data from outside: it may not leave its directory. Raises ``Http404``."""
    root = Path(settings.RECORDINGS_DIR).resolve()
    if recording.switch is not None:
        root = root / recording.switch.name
    try:
        path = (root / recording.path).resolve()
        if path.is_relative_to(root.resolve()) and path.is_file():
            return path
    except (OSError, ValueError) as error:  # too long a name, a NUL in it
        raise Http404 from error
    raise Http404


def reachable(recording: Recording) -> bool:
    try:
        file_of(recording)
    except Http404:
        return False
    return True


@login_required
def sound(request: HttpRequest, recording_id: str) -> HttpResponseBase:
    floor = access.floor_of(request.user)
    if floor is None or not can(request.user, "calls.listen"):
        raise PermissionDenied
    heard = Recording.objects.filter(call__in=visible_calls(request.user, int(floor)), tenant_id=int(floor))
    recording = get_object_or_404(heard.select_related("switch"), pk=recording_id)
    response = _range(file_of(recording), request.headers.get("Range", ""))
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    return response


def _range(path: Path, header: str) -> HttpResponseBase:
    """The part that ``header`` asks for, or all of it (RFC 9110 section 14: other forms may be ignored).

    At most ``PART`` bytes at a time: a server may send less than was asked (section 15.3.7), and the player asks on.
    """
    size = path.stat().st_size
    match = _RANGE.fullmatch(header.strip())
    if match is None or not any(match.groups()):
        return FileResponse(path.open("rb"), content_type="audio/wav")
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    with path.open("rb") as file:
        file.seek(start)
        part = file.read(min(end - start + 1, PART))
    headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{size}"}
    return HttpResponse(part, status=206, content_type="audio/wav", headers=headers)
