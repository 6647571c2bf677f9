"""What goes over the wire under a term, and who may enter a switch."""

from __future__ import annotations

import pytest

from apps.core.ids import LegId
from apps.switches.freeswitch import encode, fence

GUARD = "7_1_k3f9ab"
VARIABLE = b"${trunkline_fenced_7_1_k3f9ab}"


@pytest.mark.parametrize(
    ("frame", "guarded"),
    [
        (encode.kill(LegId("a"), "X"), b"api expand uuid_kill " + VARIABLE + b"a X\n\n"),
        (encode.hold(LegId("a"), on=False), b"api expand uuid_hold " + VARIABLE + b"off a\n\n"),
        (
            encode.bridge(LegId("a"), LegId("b"), "j"),
            b"bgapi expand uuid_bridge " + VARIABLE + b"a b\nJob-UUID:j\n\n",
        ),
        (
            encode.bgapi("originate {x=1}user/1 &park()", "j"),
            b"bgapi expand expand " + VARIABLE + b"originate {x=1}user/1 &park()\nJob-UUID:j\n\n",
        ),
        (encode.dump("a"), encode.dump("a")),
        (encode.api("show channels as json"), encode.api("show channels as json")),
        (encode.subscribe("DTMF"), encode.subscribe("DTMF")),
    ],
)
def test_what_changes_something_names_the_term(frame: bytes, guarded: bytes) -> None:
    assert fence.guarded(frame, GUARD) == guarded


def test_an_applications_argument_is_counted_anew() -> None:
    frame = fence.guarded(encode.music(LegId("a"), "default", 1000, "t"), GUARD)
    head, _, body = frame.partition(b"\n\n")
    assert body == VARIABLE + b"{t=t,timeout=1000}local_stream://default"
    assert head.count(b"content-length") == 1 and head.endswith(b"content-length:%d" % len(body))


def test_guards_are_ordered_by_their_term() -> None:
    assert fence.order("10_1_a") > fence.order("9_2_z") > fence.order("") and fence.order("x") < fence.order("1_1_a")


class Globals:
    """A switch's global variables, as ``api`` reads and sets them."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def __call__(self, frame: bytes) -> str:
        verb, _, rest = frame.decode().strip().removeprefix("api ").partition(" ")
        if verb == "global_getvar":
            return self.values.get(rest, "-ERR no reply\n")
        name, value, *expected = rest.split("=")
        if not expected or self.values.get(name) == expected[0]:
            self.values[name] = value
        return "+OK"


def test_a_new_term_fences_the_old_one_and_is_called_first() -> None:
    switch = Globals(trunkline_term="6_2_old")
    fence.enter(switch, GUARD, "127.0.0.1:8085")
    assert switch.values == {
        "trunkline_term": GUARD,
        "trunkline_fenced_6_2_old": "fenced-",
        "trunkline_engine": "127.0.0.1:8085|",
    }
    fence.enter(switch, GUARD, "127.0.0.1:8085")  # after a lost link, the same term
    assert switch.values["trunkline_term"] == GUARD


@pytest.mark.parametrize("held", [{"trunkline_term": "8_2_new"}, {"trunkline_fenced_7_1_k3f9ab": "fenced-"}])
def test_an_old_term_is_not_let_in(held: dict[str, str]) -> None:
    switch = Globals(**held)
    with pytest.raises(fence.Fenced):
        fence.enter(switch, GUARD, "127.0.0.1:8084")
    assert "trunkline_engine" not in switch.values
