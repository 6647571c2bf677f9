"""Credentials of a TURN server that expire: who learns one can relay through it for hours, not for ever.

The scheme is coturn's ``use-auth-secret`` (draft-uberti-behave-turn-rest): the name is ``<expiry, Unix s>:<who>``, the
password its HMAC-SHA1 by a secret that only we and the TURN server have.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any


def ice_server(urls: tuple[str, ...], secret: str, who: str, now_s: float, valid_s: int) -> dict[str, Any]:
    """What ``RTCPeerConnection`` takes as one of its ``iceServers``."""
    username = f"{int(now_s) + valid_s}:{who}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return {"urls": list(urls), "username": username, "credential": base64.b64encode(digest).decode()}
