"""``make demo`` starts here, on any Python: makes the environment in ``.venv`` and hands over to it.

Only the standard library, and syntax that Python 3.7 understands, so that an old one can say what is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / ".demo-installed"
LOCK = ROOT / "uv.lock"


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  an older one may well start this
        major, minor = sys.version_info[:2]
        fail(f"Python 3.11 or newer is needed, this is {major}.{minor}: try `make demo PYTHON=python3.12`")
    if os.name == "nt":
        fail("the demo runs on Linux and macOS; on Windows use WSL")
    if not STAMP.exists() or STAMP.stat().st_mtime < LOCK.stat().st_mtime:
        install()
    # exec, so that Ctrl-C and SIGTERM reach the demo itself.
    os.chdir(str(ROOT))
    os.execv(str(PYTHON), [str(PYTHON), "-m", "apps.demo", *sys.argv[1:]])


def install() -> None:
    started = time.monotonic()
    say("… environment: installing into .venv (the first time this downloads about 150 MB)\n")
    uv = shutil.which("uv")
    if uv is not None:
        sync([uv])
    else:
        if not PYTHON.exists():
            make_venv()
        run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"])
        sync([str(PYTHON), "-m", "uv"])
    STAMP.touch()
    say(f"✓ environment ready ({time.monotonic() - started:.0f} s)\n")


def make_venv() -> None:
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(str(VENV), ignore_errors=True)
        fail(f"`{sys.executable} -m venv` failed. On Debian and Ubuntu: apt install python3-venv\n{done.stdout}")


def sync(uv: list[str]) -> None:
    # --inexact: a developer's own tools in .venv stay. Somebody who watches sees its bars.
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    what = ["--frozen", "--no-dev", "--inexact", "--extra", "embedded", "--python", python_for_sync()]
    run([*uv, "sync", *quiet, *what])


def python_for_sync() -> str:
    return str(PYTHON) if PYTHON.exists() else sys.executable


def run(command: list[str]) -> None:
    environment = dict(os.environ, UV_PROJECT_ENVIRONMENT=str(VENV))
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(command, cwd=str(ROOT), env=environment, check=False)
    if done.returncode:
        fail(f"this failed: {' '.join(command)}\nIs the network up? A package mirror is set with UV_DEFAULT_INDEX.")


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def fail(message: str) -> None:
    sys.stderr.write(f"✗ {message}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
