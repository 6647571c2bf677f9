"""Nothing that leaves can be more than the one command it was meant to be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.commands import Destination, DestinationKind, OriginateLeg
from apps.core.events import HangupCause, LegRole
from apps.core.ids import AgentId, CallId, LegId, SwitchId, TenantId
from apps.switches.freeswitch import clean, encode
from apps.switches.freeswitch.causes import cause_of, word_of
from apps.switches.freeswitch.framing import Framer
from tests.switches.freeswitch.fakes import SETTINGS

HOSTILE = [
    "x\nEvent-Name: HEARTBEAT", "x\r\n\r\napi shutdown", "x\0y", "${api(system rm)}", "%[api]", "a::b", "'; drop",
    "}sofia/gateway/premium/1", "a,origination_uuid=other", "x&bridge(y)", "王芳 %{hangup} {a=b}", "\u2028api status",
    "x" * 65_536, "\ud800", "\u202eevil", "^^;a;b", "[leg]x", "<xml>|pipe", "%0aapi status", "",
]  # fmt: skip
ANY = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))


def commands_in(frame: bytes) -> int:
    """How many commands the switch would read: ours end with an empty line, and one body is counted."""
    return len(Framer().feed(frame))


def originate(**changes: object) -> OriginateLeg:
    values: dict[str, object] = {
        "switch": SwitchId("1"), "leg": LegId("k-l1"), "call": CallId("k-c1"), "tenant": TenantId("7"),
        "role": LegRole.AGENT, "agent": AgentId("12"), "ring_timeout_ms": 15_500,
        "destination": Destination(kind=DestinationKind.DEVICE, address="1001"),
        "caller_number": "+8613800138000", "caller_name": "王芳",
    }  # fmt: skip
    return OriginateLeg(**(values | changes))  # type: ignore[arg-type]


def test_originate_to_a_device() -> None:
    assert encode.originate(originate(), SETTINGS, "job-1").decode() == (
        "bgapi originate {origination_uuid=k-l1,process_cdr=false,ignore_early_media=true,originate_timeout=16,"
        "park_timeout=15,rdnis=arrival,trunkline_leg=agent:k-c1:7:12,outbound_redirect_fatal=true}"
        "user/1001@127.0.0.1 &park() - - '王芳' +8613800138000\nJob-UUID:job-1\n\n"
    )


def test_originate_to_a_trunk_with_auto_answer() -> None:
    trunk = Destination(kind=DestinationKind.TRUNK, address="+8613800138000", gateway="telco")
    frame = encode.originate(originate(destination=trunk, agent=None, auto_answer=True), SETTINGS, "j").decode()
    assert frame.split("}")[1].startswith("sofia/gateway/telco/+8613800138000 &park() ")
    assert "sip_auto_answer=true" in frame and "trunkline_leg=agent:k-c1:7," in frame
    assert "outbound_redirect_fatal" not in frame, "carriers may use redirects among their own hosts"


@given(name=ANY, number=ANY)
def test_a_caller_s_name_and_number_stay_inside_their_variables(name: str, number: str) -> None:
    frame = encode.originate(originate(caller_name=name, caller_number=number), SETTINGS, "j")
    first = frame.decode().split("\n")[0]
    usual = encode.originate(originate(caller_name="", caller_number=""), SETTINGS, "j").decode().split("\n")[0]
    assert commands_in(frame) == 1 and usual.endswith("}user/1001@127.0.0.1 &park() - - undef anonymous")
    before, _, _ = usual.rpartition(" undef anonymous")
    words = first.removeprefix(before)
    assert words != first and not set(words) & set('{}[]<>|^,\\"&;$%\r\0') and "::" not in words
    assert re.fullmatch(r" (undef|'[^'=]{1,128}') (anonymous|\+?[0-9*#]{1,32})", words)


@given(ANY)
def test_every_field_of_an_originate_is_refused_or_harmless(value: str) -> None:
    device = Destination(kind=DestinationKind.DEVICE, address=value)
    trunk = Destination(kind=DestinationKind.TRUNK, address="10086", gateway=value)
    number = Destination(kind=DestinationKind.TRUNK, address=value, gateway="telco")
    tries: list[dict[str, object]] = [{"destination": target} for target in (device, trunk, number)]
    tries += [{field: value} for field in ("leg", "call", "tenant", "agent")]
    for changes in tries:
        try:
            frame = encode.originate(originate(**changes), SETTINGS, "j")
        except clean.Unsafe:
            continue
        assert commands_in(frame) == 1 and re.fullmatch(r"\+?[A-Za-z0-9_.#*+-]{1,64}", value)


@given(ANY, ANY)
def test_no_other_command_is_ever_two(value: str, other: str) -> None:
    leg, way = LegId(value), LegId("k-l1")
    tries: list[Callable[[], bytes]] = [
        lambda: encode.answer(leg),
        lambda: encode.play(way, (value, other), "/srv/sounds", "t"),
        lambda: encode.play(way, (value,), "/srv/sounds", "t"),
        lambda: encode.music(way, value, 20_000, "t"),
        lambda: encode.music(leg, "default", 20_000, "t"),
        lambda: encode.set_variables(way, {"a": value, "b": other}),
        lambda: encode.tag(leg, CallId(other), TenantId(value)),
        lambda: encode.kill(leg, other),
        lambda: encode.kill(way, value),
        lambda: encode.bridge(way, leg, other),
        lambda: encode.hold(leg, on=True),
        lambda: encode.hold_music(leg, value),
        lambda: encode.mute(way, on=True),
        lambda: encode.send_digits(leg, value),
        lambda: encode.send_digits(way, "1"),
        lambda: encode.record(way, "mask", encode.record_path(value, SETTINGS)),
        lambda: encode.talk(leg),
        lambda: encode.reclaim(leg, SETTINGS),
        lambda: encode.record(way, "start", encode.record_path(value, SETTINGS)),
        lambda: encode.dump(value),
        lambda: encode.stop_media(leg),
        lambda: encode.auth(value),
        lambda: encode.api(value),
    ]
    for make in tries:
        try:
            frame = make()
        except clean.Unsafe:
            continue
        assert commands_in(frame) == 1
        _, _, body = frame.partition(b"\n\n")
        assert b"\r" not in frame and b"\0" not in frame and b"${" not in body and b"\n" not in body


def test_the_called_customer_comes_back_and_other_legs_end() -> None:
    common = {"switch": SwitchId("1"), "call": CallId("k-c1"), "tenant": TenantId("7"), "ring_timeout_ms": 45_000}
    trunk = Destination(kind=DestinationKind.TRUNK, address="+8613912345678", gateway="carrier")
    frame = encode.originate(
        OriginateLeg(**common, leg=LegId("k-l9"), role=LegRole.CUSTOMER, destination=trunk), SETTINGS, "j"
    ).decode()
    assert "trunkline_leg=customer:k-c1:7}" in frame
    assert "park_after_bridge" not in frame and "rdnis" not in frame and "sip_auto_answer" not in frame
    assert "sofia/gateway/carrier/+8613912345678 &park()" in frame and "park_timeout=15" in frame
    device = Destination(kind=DestinationKind.DEVICE, address="1001")
    frame = encode.originate(
        OriginateLeg(
            **common,
            leg=LegId("k-l8"),
            role=LegRole.AGENT,
            destination=device,
            auto_answer=True,
            idle_timeout_ms=55_001,
        ),
        SETTINGS,
        "j",
    ).decode()
    assert "park_timeout=56" in frame and "rdnis=arrival" in frame and "sip_auto_answer=true" in frame


def test_the_ringing_tone_is_a_tone_and_a_lease() -> None:
    frame = encode.music(LegId("k-l1"), "ringing_tone", 20_000, "t").decode()
    assert "{t=t,timeout=20000}tone_stream://%(1000,4000,450);loops=-1" in frame


@pytest.mark.parametrize("digits", ["", "1 2", "12a", "1@500", "1\n2", "1" * 33, "w1"])
def test_what_are_no_tones(digits: str) -> None:
    with pytest.raises(clean.Unsafe):
        encode.send_digits(LegId("k-l1"), digits)


def test_an_argument_travels_as_a_counted_body() -> None:
    frame = encode.play(LegId("k-l1"), ("a.wav", "b/c.wav"), "/srv/声", "t")
    (message,) = Framer().feed(frame.replace(b"content-length", b"Content-Length"))
    assert message.body.decode() == "{t=t}file_string:///srv/声/a.wav!/srv/声/b/c.wav"
    assert b"\nevent-lock:true\n" in frame


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../b", "a b", "a!b", "", "./a", "a//b", "x" * 300, "a\nb"])
def test_a_path_has_no_way_out(path: str) -> None:
    with pytest.raises(clean.Unsafe):
        clean.relative_path(path)


@pytest.mark.parametrize("number", ["", "+", "12a", "1" * 33, "1\n", "１２", "1 2", "sip:1@x"])
def test_what_is_no_number(number: str) -> None:
    with pytest.raises(clean.Unsafe):
        clean.number(number)


@given(ANY)
def test_text_for_the_core_is_one_clean_line(value: str) -> None:
    text = clean.text(value)
    assert len(text) <= 128 and text == text.strip()
    assert all(unicodedata.category(char)[0] != "C" for char in text)
    assert not set(text) & set("\u2028\u2029\u0085\x0b")
    assert clean.text(text) == text
    text.encode("utf-8")


def test_text_keeps_what_a_name_is_made_of() -> None:
    assert clean.text("  王芳\t (O'Neil, 李)  ") == "王芳 (O'Neil, 李)"
    assert clean.dial_text("O'Neil, 王芳 <1>") == "O Neil 王芳 1"


def test_causes_go_there_and_back() -> None:
    for cause in HangupCause:
        if cause is not HangupCause.ERROR:
            assert cause_of(word_of(cause)) is cause
    assert cause_of("SOMETHING_NEW") is HangupCause.ERROR and word_of(HangupCause.ERROR) == "NORMAL_UNSPECIFIED"


def test_a_leg_is_kept_and_let_go_of_again() -> None:
    assert encode.keep(LegId("a"), 60_000) == (
        b"api uuid_setvar_multi a park_after_bridge=true;hangup_after_bridge=false;park_timeout=60\n\n"
    )
    assert b"park_after_bridge=;hangup_after_bridge=true" in encode.let_go_of(LegId("a"))


def test_into_a_room_and_what_follows_it() -> None:
    customer = encode.join_room(LegId("a"), "r1-c1", LegRole.CUSTOMER, SETTINGS)[-1]
    assert customer == (b"api uuid_transfer a 'conference:r1-c1@default,transfer:arrival XML trunkline' inline\n\n")
    assert encode.join_room(LegId("a"), "r1-c1", LegRole.AGENT, SETTINGS)[-1].endswith(b",park' inline\n\n")
    with pytest.raises(clean.Unsafe):
        encode.join_room(LegId("a"), "r1,hangup", LegRole.AGENT, SETTINGS)
