"""The fence between two engines on one switch: what is commanded under a term that is over, the switch does not do.

Every engine that has a standby leads under a *term*, named by a ``guard`` such as ``7_1_k3f9ab``: the term's number,
the engine's, and something random. Each of its commands carries a reference to the global variable of its own guard
(``${trunkline_fenced_7_1_k3f9ab}``), which the **switch** expands when it carries the command out: to nothing as long
as the variable is not set. The next engine sets it before its first command, and from then on the old one's commands
name channels and applications that do not exist, however late they come: from a process that was stopped between two
instructions, from its threads, or from the kernel's socket buffers.

Seen live on 1.11.1: ``expand`` expands the arguments of a command and not its name, costs some 70 us, and runs an API
whose name is in its arguments (``expand expand ${…}originate …``); an application's arguments are always expanded.
``global_setvar name=value=expected`` compares and sets at once, says +OK either way, and with nothing expected sets
without comparing; a variable that is not set reads as ``-ERR no reply``.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.switches.freeswitch import clean, encode

TERM = "trunkline_term"
"""The global variable with the guard of the engine that commands this switch."""
FIRST_ENGINE = "trunkline_engine"
"""The global variable that the arrival extension tries before its own list: ``host:port|``, or unset."""
_FENCED = "trunkline_fenced_"
_MARK = "fenced-"
_READING = (b"uuid_dump", b"show", b"sofia", b"strepoch", b"global_getvar")
"""They change nothing, so they are let through as they are."""

Call = Callable[[bytes], str]
"""Sends a command and waits for its reply."""


class Fenced(Exception):
    """A later term has this switch. The message names it."""


def order(guard: str) -> tuple[int, str]:
    """Guards in the order of their terms; what is none comes before all."""
    number, _, rest = guard.partition("_")
    return (int(number), rest) if number.isascii() and number.isdigit() else (-1, rest)


def enter(call: Call, guard: str, arrival: str) -> None:
    """Take the switch for ``guard``: before the first command. ``arrival`` is our address, ``host:port``.

    Raises ``Fenced`` when a later term has it, what ``call`` raises, and ``clean.Unsafe``.
    """
    held = read(call(encode.api(f"global_getvar {TERM}")))
    if order(held) > order(guard):
        raise Fenced(f"term {held} has this switch, ours is {guard}")
    if held != guard:
        compared = f"={clean.ident(held)}" if held else ""
        call(encode.api(f"global_setvar {TERM}={clean.ident(guard)}{compared}"))
        now = read(call(encode.api(f"global_getvar {TERM}")))
        if now != guard:
            raise Fenced(f"term {now} took this switch in the same moment, ours is {guard}")
        if held:
            call(encode.api(f"global_setvar {_FENCED}{held}={_MARK}"))
    if read(call(encode.api(f"global_getvar {_FENCED}{guard}"))):
        raise Fenced(f"our term {guard} is over")
    call(encode.api(f"global_setvar {FIRST_ENGINE}={arrival}|"))


def read(reply: str) -> str:
    """A global variable's value from the reply; "" when it is not set."""
    return "" if reply.startswith("-") else reply.strip()


def guarded(frame: bytes, guard: str) -> bytes:
    """The command as it is sent under ``guard``; unchanged when it only reads."""
    reference = b"${" + (_FENCED + guard).encode() + b"}"
    line, _, rest = frame.partition(b"\n")
    word, _, command = line.partition(b" ")
    if word in (b"api", b"bgapi"):
        name, _, arguments = command.partition(b" ")
        if name in _READING:
            return frame
        if name.startswith(b"uuid_"):
            command = b"expand " + name + b" " + reference + arguments
        else:
            command = b"expand expand " + reference + command
        return word + b" " + command + b"\n" + rest
    if word == b"sendmsg":
        return _guarded_message(frame, reference)
    return frame


def _guarded_message(frame: bytes, reference: bytes) -> bytes:
    """An application's argument, if it has one: without it ``answer`` is all that we ever say."""
    head, _, body = frame.partition(b"\n\n")
    if not body:
        return frame
    body = reference + body
    lines = [row for row in head.split(b"\n") if not row.startswith(b"content-length:")]
    return b"\n".join([*lines, b"content-length:%d" % len(body)]) + b"\n\n" + body
