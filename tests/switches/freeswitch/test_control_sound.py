"""Prompts, keys and music, one move at a time: what goes out, what comes back, and what the core is told."""

from __future__ import annotations

import pytest

from apps.core import commands as c
from apps.core.events import (
    DigitPressed,
    LegAnswered,
    LegHungUp,
    LegMuted,
    LegRole,
    LegUnmuted,
    PlayEnded,
    PlayOutcome,
    RecordingMasked,
    RecordingUnmasked,
)
from apps.core.ids import CallId, LegId, PlayId, RecordingId, TenantId
from apps.switches.freeswitch.ports import LINK_LOST, Lane
from tests.switches.freeswitch.control_scene import (
    AGENT,
    CUSTOMER,
    MUSIC,
    Pair,
    S,
    arrive,
    complete,
    ended,
    event,
    music,
    play,
)

# --- prompts and music ---------------------------------------------------------------------------------------------


def test_a_prompt_plays_with_the_right_terminators_and_ends_done(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play("p1", "a.wav", "b.wav"))
    assert ports.commands() == ["sendmsg playback file_string:///srv/sounds/a.wav!/srv/sounds/b.wav"], "any key is set"
    control.event(complete(ports))
    assert ended(ports) == [("p1", PlayOutcome.DONE)]
    for _ in range(2):
        control.execute(play("p2", barge=False))
        control.event(complete(ports))
    assert ports.commands() == [
        "api uuid_setvar_multi cust-1 playback_terminators=none",
        *["sendmsg playback /srv/sounds/a.wav"] * 2,
    ], "the variable is set when it changes"


def test_the_key_is_told_before_the_end_of_the_prompt_that_it_ended(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play())
    control.event(complete(ports, used="2"))
    assert ports.take() == []
    ports.pass_ms(100)
    control.event(event("DTMF", CUSTOMER, DTMF__Digit="2"))
    told = ports.take()
    assert [type(e) for e in told] == [DigitPressed, PlayEnded]
    ports.pass_ms(1000)
    assert ports.take() == []


def test_a_key_told_first_is_not_waited_for_again(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play())
    control.event(event("DTMF", CUSTOMER, DTMF__Digit="2"))
    control.event(complete(ports, used="2"))
    assert [type(e) for e in ports.take()] == [DigitPressed, PlayEnded]


def test_a_key_that_never_comes_is_waited_for_150_ms(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play())
    control.event(complete(ports, used="2"))
    ports.pass_ms(149)
    assert ended(ports) == []
    ports.pass_ms(1)
    assert ended(ports) == [("p1", PlayOutcome.STOPPED)]


def test_a_prompt_that_is_replaced_ends_stopped_and_its_late_end_is_nobody_s(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play("p1"))
    ports.commands()
    control.execute(play("p2", "b.wav"))
    assert ended(ports) == [("p1", PlayOutcome.STOPPED)]
    assert ports.commands() == ["api uuid_break cust-1 all", "sendmsg playback /srv/sounds/b.wav"]
    control.event(complete(ports, back=2))
    assert ended(ports) == []
    control.event(complete(ports))
    assert ended(ports) == [("p2", PlayOutcome.DONE)]


@pytest.mark.parametrize("response", ["FILE NOT FOUND", "PLAYBACK ERROR", ""])
def test_a_prompt_that_cannot_be_played_fails(pair: Pair, response: str) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play())
    control.event(complete(ports, response))
    assert ended(ports) == [("p1", PlayOutcome.FAILED)]


def test_no_leg_no_prompt(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play())
    ports.reply_all("-ERR invalid session id [cust-1]")
    assert ended(ports) == [("p1", PlayOutcome.FAILED)]


def test_nothing_to_play_is_played_at_once(pair: Pair) -> None:
    control, ports = pair
    control.execute(c.PlayPrompts(switch=S, leg=CUSTOMER, play=PlayId("p"), sounds=()))
    assert ended(ports) == [("p", PlayOutcome.DONE)]


def test_prompts_wait_for_the_answer(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports, Answer__State="ringing")
    control.execute(c.AnswerLeg(switch=S, leg=CUSTOMER))
    control.execute(music())
    control.execute(play())
    assert ports.commands() == ["api uuid_answer cust-1"]
    ports.reply("+OK\n")
    assert ports.take() == [LegAnswered(switch=S, leg=CUSTOMER)]
    assert ports.commands() == ["sendmsg playback /srv/sounds/a.wav"]


@pytest.mark.parametrize("reply", ["-ERROR\n", LINK_LOST])
def test_an_answer_that_failed_is_none_and_holds_nothing_up(pair: Pair, reply: str) -> None:
    control, ports = pair
    arrive(control, ports, Answer__State="ringing")
    control.execute(c.AnswerLeg(switch=S, leg=CUSTOMER))
    control.execute(music())
    ports.reply(reply)
    assert ports.take() == [] and ports.commands()[-1] == MUSIC


def test_music_is_renewed_until_something_else_is_wanted(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(music())
    assert ports.commands() == [MUSIC]
    for _ in range(3):
        ports.pass_ms(20_000)
        control.event(complete(ports))
        assert ports.commands() == [MUSIC]
    control.execute(music())
    assert ports.commands() == [], "it plays already"
    control.execute(c.StopPlay(switch=S, leg=CUSTOMER))
    assert ports.commands() == ["api uuid_break cust-1 all"]
    control.event(complete(ports))
    assert ports.commands() == []


def test_a_key_that_ends_the_music_has_it_begin_again(pair: Pair) -> None:
    """Its playback_terminators are the last prompt's: setting them for each wait would cost more than this."""
    control, ports = pair
    arrive(control, ports, variable_playback_terminators="any")
    control.execute(music())
    ports.commands()
    ports.pass_ms(300)
    control.event(complete(ports, used="5"))
    assert ports.commands() == [MUSIC]


def test_a_lease_whose_end_is_lost_is_renewed_after_a_grace(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(music())
    ports.commands()
    ports.pass_ms(25_000)
    control.tick()
    assert ports.commands() == []
    ports.pass_ms(1)
    control.tick()
    assert ports.commands() == [MUSIC]


def test_missing_music_becomes_silence(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(music("nowhere"))
    ports.commands()
    control.event(complete(ports, "FILE NOT FOUND"))
    assert ports.commands() == [], "no storm"
    ports.pass_ms(1000)
    assert ports.commands() == ["sendmsg playback silence_stream://20000"]
    ports.pass_ms(20_000)
    control.event(complete(ports))
    assert ports.commands() == ["sendmsg playback {timeout=20000}local_stream://nowhere"], "it may be there by now"


def test_music_that_was_cut_off_goes_on_a_second_later_if_nothing_else_came(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(music())
    ports.commands()
    control.event(complete(ports, "PLAYBACK ERROR"))
    assert ports.commands() == []
    ports.pass_ms(1000)
    assert ports.commands() == [MUSIC]
    control.event(complete(ports, "PLAYBACK ERROR"))
    control.arrived(event("CHANNEL_DATA", CUSTOMER))
    ports.pass_ms(1000)
    assert ports.commands() == [], "it was being moved"


def test_a_music_name_that_is_no_name_is_refused_and_the_old_goes_on(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(music())
    ports.commands()
    control.execute(music("x\n\napi shutdown"))
    assert ports.commands() == []
    assert control.legs.get(CUSTOMER).media.music == "default"  # type: ignore[union-attr]


def test_a_hangup_ends_the_prompt_first(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play())
    control.event(event("CHANNEL_HANGUP", CUSTOMER, Hangup__Cause="NORMAL_CLEARING"))
    assert [type(e) for e in ports.take()] == [PlayEnded, LegHungUp]
    control.event(complete(ports, "PLAYBACK ERROR"))
    assert ports.take() == []


# --- hold, mute, tones, the recording's mask -----------------------------------------------------------------------


def test_who_is_held_hears_the_queues_music(pair: Pair) -> None:
    control, ports = pair
    control.execute(c.HoldLeg(switch=S, leg=AGENT, music="jazz"))
    assert ports.commands() == [
        f"api uuid_setvar_multi {AGENT} hold_music=local_stream://jazz",
        f"api uuid_hold {AGENT}",
    ]
    control.execute(c.UnholdLeg(switch=S, leg=AGENT))
    assert ports.commands() == [f"api uuid_hold off {AGENT}"]


@pytest.mark.parametrize(("reply", "muted"), [("+OK", True), ("-ERR No such channel!", False), (LINK_LOST, False)])
def test_muted_is_what_the_switch_has_confirmed(pair: Pair, reply: str, muted: bool) -> None:
    control, ports = pair
    control.execute(c.MuteLeg(switch=S, leg=AGENT))
    assert ports.commands() == [f"api uuid_audio {AGENT} start read mute 1"] and ports.take() == []
    ports.reply(reply)
    assert ports.take() == ([LegMuted(switch=S, leg=AGENT)] if muted else [])
    control.execute(c.UnmuteLeg(switch=S, leg=AGENT))
    assert ports.commands() == [f"api uuid_audio {AGENT} stop"]
    ports.reply()
    assert ports.take() == [LegUnmuted(switch=S, leg=AGENT)]


def test_tones_go_out_and_what_is_none_does_not(pair: Pair) -> None:
    control, ports = pair
    control.execute(c.SendDigits(switch=S, leg=CUSTOMER, digits="12#"))
    assert ports.commands() == [f"api uuid_send_dtmf {CUSTOMER} 12#"]
    control.execute(c.SendDigits(switch=S, leg=CUSTOMER, digits="1\n\napi shutdown"))
    assert ports.commands() == []


def test_a_mask_is_told_when_it_is_on_and_its_end_in_any_case(pair: Pair) -> None:
    control, ports = pair
    what = {"switch": S, "leg": CUSTOMER, "recording": RecordingId("r1"), "path": "a/r1.wav"}
    control.execute(c.MaskRecording(**what))
    assert ports.commands() == [f"api uuid_record {CUSTOMER} mask /srv/rec/a/r1.wav"]
    assert ports.lanes[-1] is Lane.RECORDINGS
    ports.reply("-ERR Cannot mask recording session!")
    assert ports.take() == []
    control.execute(c.MaskRecording(**what))
    ports.reply("+OK Success")
    assert ports.take() == [RecordingMasked(switch=S, leg=CUSTOMER, recording=RecordingId("r1"))]
    for reply in ("-ERR Cannot unmask recording session!", "+OK Success"):
        control.execute(c.UnmaskRecording(**what))
        ports.reply(reply)
        assert ports.take() == [RecordingUnmasked(switch=S, leg=CUSTOMER, recording=RecordingId("r1"))]
    control.execute(c.UnmaskRecording(**what))
    ports.reply(LINK_LOST)
    assert ports.take() == [], "asked for again by the core"


def test_a_called_customer_parks_once_and_is_no_arrival(pair: Pair) -> None:
    control, ports = pair
    customer = LegId("k-l9")
    control.execute(
        c.OriginateLeg(
            switch=S, leg=customer, call=CallId("k-c1"), tenant=TenantId("7"), role=LegRole.CUSTOMER,
            destination=c.Destination(kind=c.DestinationKind.TRUNK, address="13912345678", gateway="out"),
            ring_timeout_ms=45_000,
        )
    )  # fmt: skip
    control.event(event("CHANNEL_PROGRESS", customer))
    control.event(event("CHANNEL_ANSWER", customer))
    control.event(event("CHANNEL_PARK", customer))
    control.event(event("CHANNEL_PARK", customer))  # in the socket application, after a talk
    assert [type(one).__name__ for one in ports.take()] == ["LegRinging", "LegAnswered", "LegParked"]
