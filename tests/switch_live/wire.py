"""A wire between a browser and the switch's WebSocket, to cut."""

from __future__ import annotations

import contextlib
import socket
import threading


class Wire:
    """Passes on what comes in at ``port`` to ``target`` on loopback, and back."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ends: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.taken = 0  # connections so far
        threading.Thread(target=self._take, daemon=True).start()

    def cut(self) -> None:
        """Every connection dies; new ones are taken."""
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):  # the other side was first
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def stop(self) -> None:
        self._server.close()
        self.cut()

    def _take(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return  # stopped
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [near, far]
            self.taken += 1
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # cut
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
