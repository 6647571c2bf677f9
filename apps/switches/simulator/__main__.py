"""The simulator as a process: ``python -m apps.switches.simulator --help``. SIGTERM or Ctrl-C ends it."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import time

from apps.switches.simulator import options
from apps.switches.simulator.control import Control


async def serve(chosen: argparse.Namespace) -> None:
    simulator = options.build(chosen, int(time.time() * 1000))
    server = simulator.server
    await server.start()
    ready: dict[str, object] = {"event_socket": f"{server.host}:{server.port}"}
    control = Control(server, simulator.phones, simulator.callers)
    if chosen.control_port is not None:
        await control.start(chosen.control_port)
        ready["control"] = f"127.0.0.1:{control.port}"
    simulator.callers.start()
    server.time.catch_up()
    sys.stdout.write(json.dumps(ready) + "\n")  # whoever started us learns the ports, and that we are ready
    sys.stdout.flush()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await control.stop()
    await server.stop()


def main() -> None:
    chosen = options.parse(sys.argv[1:])
    logging.basicConfig(level=chosen.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(serve(chosen))


if __name__ == "__main__":
    main()
