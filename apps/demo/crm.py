"""The program of the demo's company that its webhook tells of calls: ``python -m apps.demo.crm --port 8090``.

It believes what is signed with the webhook's key (``CRM_WEBHOOK_SECRET``) and writes a line for each message.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

from apps.demo.surroundings import LOOPBACK

LARGEST = 256 * 1024
SECRET = "CRM_WEBHOOK_SECRET"


class Hook(BaseHTTPRequestHandler):
    key = b""

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            return self._answer(413)
        body = self.rfile.read(int(length))
        if not self._signed(body):
            return self._answer(401)
        message = json.loads(body)
        sys.stdout.write(f"{message['type']} {json.dumps(message['data'], ensure_ascii=False)[:200]}\n")
        self._answer(204)

    def _signed(self, body: bytes) -> bool:
        """As docs/api.md says; more than one signature is sent while a key is changed."""
        signed = f"{self.headers.get('webhook-id')}.{self.headers.get('webhook-timestamp')}.".encode() + body
        expected = b"v1," + base64.b64encode(hmac.new(self.key, signed, hashlib.sha256).digest())
        given = self.headers.get("webhook-signature", "").split()
        return any(hmac.compare_digest(expected, one.encode()) for one in given)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not every request: what came is written already."""


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port: int = parser.parse_args().port
    Hook.key = base64.b64decode(os.environ[SECRET].removeprefix("whsec_"))
    signal.signal(signal.SIGTERM, _stop)
    ThreadingHTTPServer((LOOPBACK, port), Hook).serve_forever()


if __name__ == "__main__":
    main()
