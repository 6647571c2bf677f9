"""``manage.py web``: the web process with the options it needs, the same in the demo, in a unit and in a container."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand

LARGEST_FRAME = 64 * 1024  # what a page may send; what it gets may be larger
GOODBYE_S = 5  # pages that are open are told, and come again to the next process


class Command(BaseCommand):
    help = "Serve the pages, the REST interface and the live sockets. Ends on SIGTERM or Ctrl-C."
    # It must start with the database down: /health/live answers, /health/ready says what is missing.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument("--fd", type=int, help="a socket that listens already, instead of both")
        parser.add_argument(
            "--proxies",
            default="127.0.0.1",
            help="addresses of proxies whose X-Forwarded-For and -Proto are believed, comma separated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        config = uvicorn.Config(
            "apps.config.asgi:application",
            host=options["host"],
            port=options["port"],
            forwarded_allow_ips=options["proxies"],
            ws_max_size=LARGEST_FRAME,
            timeout_graceful_shutdown=GOODBYE_S,
            lifespan="on",
            access_log=False,  # RequestLog writes it, with who and what
            log_config=None,  # and all lines go through apps/config/logs.py
            server_header=False,
        )
        sockets = None if options["fd"] is None else [socket.socket(fileno=options["fd"])]
        with suppress(KeyboardInterrupt):  # uvicorn has said goodbye by then
            uvicorn.Server(config).run(sockets)
