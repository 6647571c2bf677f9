"""The driver's logic, one move at a time: what goes out, what comes back, and what the core is told."""

from __future__ import annotations

import json

import pytest

from apps.core import commands as c
from apps.core.events import (
    BridgeFailed,
    CallArrived,
    DeviceChanged,
    HangupCause,
    LegAnswered,
    LegHungUp,
    LegJoined,
    LegParked,
    LegRole,
    LegsBridged,
    LinkUp,
    PlayEnded,
    PlayOutcome,
    SwitchSnapshot,
    TrunkChanged,
)
from apps.core.ids import LegId, TrunkId
from apps.switches.freeswitch import clean
from apps.switches.freeswitch.control import Control, failure_of
from apps.switches.freeswitch.ports import LINK_LOST
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
    job,
    music,
    originate,
    play,
    start_recording,
)
from tests.switches.freeswitch.fakes import FakePorts

# --- bridging ------------------------------------------------------------------------------------------------------


NO_TRUNK = "-ERR sofia Command not found!\n"
READING = [
    "api show registrations as json",
    "api sofia status gateway telco",
    "api show channels as json",
]
WAY_BACK = {
    "transfer_after_bridge": "arrival:XML:trunkline",
}


def bridging(control: Control, ports: FakePorts, **variables: str) -> None:
    arrive(control, ports, **{f"variable_{name}": value for name, value in variables.items()})
    control.execute(music())
    originate(control)
    control.event(event("CHANNEL_PARK", AGENT))
    ports.take()
    ports.commands()
    control.execute(c.BridgeLegs(switch=S, leg=AGENT, other=CUSTOMER))


def test_a_bridge_sets_the_way_back_first_and_closes_the_socket_when_it_stands(pair: Pair) -> None:
    control, ports = pair
    bridging(control, ports)
    assert ports.commands() == [
        "api uuid_setvar_multi cust-1 "
        + ";".join(f"{name}={value}" for name, value in {**WAY_BACK, "park_timeout": ""}.items()),
        f"bgapi uuid_bridge cust-1 {AGENT}",
    ]
    control.event(complete(ports, "PLAYBACK ERROR", back=3))
    control.event(job(ports, "+OK cust-1\n"))
    assert ports.take() == [] and ports.commands() == [] and ports.closed == []
    control.event(event("CHANNEL_BRIDGE", AGENT, Bridge__B__Unique__ID=CUSTOMER))
    assert ports.take() == [LegsBridged(switch=S, leg=AGENT, other=CUSTOMER)]
    assert CUSTOMER in ports.closed


def test_what_the_arrival_extension_has_set_is_not_set_again_but_for_a_second_bridge(pair: Pair) -> None:
    control, ports = pair
    bridging(control, ports, **WAY_BACK)
    assert ports.commands() == [f"bgapi uuid_bridge cust-1 {AGENT}"]
    control.event(job(ports, "-ERR Invalid uuid\n"))
    ports.commands()
    control.execute(c.BridgeLegs(switch=S, leg=AGENT, other=CUSTOMER))
    assert ports.commands()[0].startswith("api uuid_setvar_multi cust-1 transfer_after_bridge="), "it may be used up"
    arrive(control, ports, **{f"variable_{name}": value for name, value in WAY_BACK.items()})
    control.execute(c.BridgeLegs(switch=S, leg=AGENT, other=CUSTOMER))
    assert ports.commands() == [f"bgapi uuid_bridge cust-1 {AGENT}"]


def test_a_refused_bridge_fails_and_the_music_goes_on(pair: Pair) -> None:
    control, ports = pair
    bridging(control, ports)
    control.event(complete(ports, "PLAYBACK ERROR", back=3))
    ports.commands()
    control.event(job(ports, "-ERR Invalid uuid\n"))
    assert ports.take() == [BridgeFailed(switch=S, leg=AGENT, other=CUSTOMER, reason="Invalid uuid")]
    assert ports.commands() == [MUSIC]


def test_a_prompt_asked_for_in_the_gap_ends_when_the_bridge_stands(pair: Pair) -> None:
    control, ports = pair
    bridging(control, ports)
    ports.commands()
    control.execute(play())
    assert ports.commands() == []
    control.event(event("CHANNEL_BRIDGE", AGENT, Bridge__B__Unique__ID=CUSTOMER))
    assert ended(ports) == [("p1", PlayOutcome.STOPPED)]


def test_a_bridge_whose_reply_is_lost_is_left_to_the_core_s_deadline(pair: Pair) -> None:
    control, ports = pair
    bridging(control, ports)
    ports.reply_all(LINK_LOST)
    assert not [e for e in ports.take() if isinstance(e, BridgeFailed)]


def test_coming_back_starts_clean(pair: Pair) -> None:
    control, ports = pair
    bridging(control, ports)
    control.event(event("CHANNEL_BRIDGE", AGENT, Bridge__B__Unique__ID=CUSTOMER))
    control.event(event("CHANNEL_HANGUP", AGENT, Hangup__Cause="NORMAL_CLEARING"))
    ports.take()
    control.arrived(
        event("CHANNEL_DATA", CUSTOMER, variable_trunkline_leg="customer:k-c1:7", variable_trunkline_did="4001")
    )
    (back,) = ports.take()
    assert isinstance(back, CallArrived) and back.call == "k-c1" and back.answered and back.did == "4001"
    ports.commands()
    control.execute(music())
    assert ports.commands()[-1] == MUSIC


def test_a_far_leg_that_dies_in_the_gap_sends_the_customer_back_and_one_reclaim_too_many_is_not_made(
    pair: Pair,
) -> None:
    control, ports = pair
    bridging(control, ports)
    control.event(event("CHANNEL_HANGUP", AGENT, Hangup__Cause="NORMAL_CLEARING"))
    control.event(complete(ports, "PLAYBACK ERROR", back=3))
    control.execute(music())
    ports.commands()
    ports.pass_ms(1000)
    assert ports.commands() == [], "an application sent now could cost the call"
    arrive(control, ports, variable_trunkline_leg="customer:k-c1:7")
    control.execute(c.ReclaimLeg(switch=S, leg=CUSTOMER))
    assert ports.commands() == []
    control.execute(music())
    assert ports.commands()[-1] == MUSIC
    ports.pass_ms(1000)
    control.execute(c.ReclaimLeg(switch=S, leg=CUSTOMER))
    assert ports.commands() == ["api uuid_transfer cust-1 arrival XML trunkline"]


def test_a_bridge_refused_after_the_far_leg_died_leaves_the_customer_in_his_music(pair: Pair) -> None:
    control, ports = pair
    bridging(control, ports)
    control.event(event("CHANNEL_HANGUP", AGENT, Hangup__Cause="NORMAL_CLEARING"))
    ports.take()
    control.event(job(ports, "-ERR Invalid uuid\n"))
    assert ports.take() == [], "the far leg's end has told it"
    ports.pass_ms(20_000)
    ports.commands()
    control.event(complete(ports, back=3))
    assert ports.commands() == [MUSIC]


def test_reclaim_lets_go_of_the_socket_before_it_moves_the_call(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(play())
    ports.commands()
    control.execute(c.ReclaimLeg(switch=S, leg=CUSTOMER))
    assert ended(ports) == [("p1", PlayOutcome.STOPPED)]
    assert CUSTOMER not in ports.held
    assert ports.commands() == ["api uuid_transfer cust-1 arrival XML trunkline"]


# --- originate, hang up --------------------------------------------------------------------------------------------


def test_a_kill_before_the_channel_is_there_is_made_again(pair: Pair) -> None:
    control, ports = pair
    originate(control)
    control.execute(c.HangUpLeg(switch=S, leg=AGENT, cause=HangupCause.CANCELLED))
    ports.commands()
    ports.reply()
    ports.reply("-ERR No such channel!\n")
    assert ports.take() == []
    control.tick()
    assert ports.commands() == [f"api uuid_kill {AGENT} ORIGINATOR_CANCEL"]
    control.event(job(ports, "-ERR ORIGINATOR_CANCEL\n"))
    tags = {"variable_trunkline_leg": "agent:k-c1:7"}
    control.event(event("CHANNEL_HANGUP", AGENT, Hangup__Cause="ORIGINATOR_CANCEL") | tags)
    ports.reply_all("-ERR No such channel!\n")
    told = ports.take()
    assert told == [LegHungUp(switch=S, leg=AGENT, cause=HangupCause.CANCELLED, raw="ORIGINATOR_CANCEL")]
    assert len(control.legs) == 0


def test_a_kill_of_what_the_switch_does_not_know_ends_the_leg(pair: Pair) -> None:
    control, ports = pair
    control.execute(c.HangUpLeg(switch=S, leg=LegId("ghost")))
    ports.reply("-ERR No such channel!\n")
    (told,) = ports.take()
    assert isinstance(told, LegHungUp) and told.cause is HangupCause.LOST


def test_an_originate_that_the_switch_cannot_read_ends_its_leg(pair: Pair) -> None:
    control, ports = pair
    originate(control)
    control.event(job(ports, "-USAGE: <call url> <exten>…\n"))
    (told,) = ports.take()
    assert isinstance(told, LegHungUp) and told.cause is HangupCause.ERROR


def test_an_originate_without_a_reply_is_over_for_the_core_and_killed_when_the_link_is_back(pair: Pair) -> None:
    control, ports = pair
    control.link_up("boot-1")
    originate(control)
    ports.take()
    ports.reply_all(LINK_LOST)
    control.link_down()
    (told,) = ports.take()
    assert isinstance(told, LegHungUp) and told.cause is HangupCause.UNREACHABLE
    ports.commands()
    control.link_up("boot-1")
    assert ports.commands() == [f"api uuid_kill {AGENT} ORIGINATOR_CANCEL"]


def test_a_leg_that_the_switch_ends_is_not_told_again(pair: Pair) -> None:
    """A caller who came back after the talk is let go of before the switch says that he has parked."""
    control, ports = pair
    arrive(control, ports)
    control.execute(c.HangUpLeg(switch=S, leg=CUSTOMER))
    control.event(event("CHANNEL_PARK", CUSTOMER))
    ports.reply("+OK\n")
    control.event(event("CHANNEL_PARK", CUSTOMER))
    control.link_up("other link")
    assert ports.commands() == [f"api uuid_kill {CUSTOMER}"]


def test_doubled_events_are_told_once(pair: Pair) -> None:
    control, ports = pair
    originate(control)
    for name in ("CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_PARK"):
        control.event(event(name, AGENT))
    assert [type(e).__name__ for e in ports.take()] == ["LegRinging", "LegAnswered", "LegParked"]
    for _ in range(2):
        control.event(event("CHANNEL_HANGUP", AGENT, Hangup__Cause="USER_BUSY"))
    control.event(job(ports, "-ERR USER_BUSY\n"))
    assert len(ports.take()) == 1


def test_a_lost_answer_is_made_up_for_by_the_park(pair: Pair) -> None:
    control, ports = pair
    originate(control)
    control.event(event("CHANNEL_PARK", AGENT))
    assert ports.take() == [LegAnswered(switch=S, leg=AGENT), LegParked(switch=S, leg=AGENT)]


# --- devices, trunks, the switch itself ----------------------------------------------------------------------------


def test_devices_and_trunks(pair: Pair) -> None:
    control, ports = pair

    def custom(kind: str, **headers: str) -> None:
        control.event(event("CUSTOM", "", Event__Subclass=f"sofia::{kind}", **headers))

    custom("register", from__user="1001")
    custom("unregister", from__user="1001")
    custom("expire", user="1002", host="x")
    custom("gateway_state", Gateway="telco", State="REGED", Ping__Status="UP")
    custom("gateway_state", Gateway="telco", State="NOREG", Ping__Status="DOWN")
    custom("gateway_state", Gateway="somebody-else-s", State="DOWN")
    assert ports.take() == [
        DeviceChanged(switch=S, address="1001", registered=True),
        DeviceChanged(switch=S, address="1001", registered=False),
        DeviceChanged(switch=S, address="1002", registered=False),
        TrunkChanged(switch=S, trunk=TrunkId("5"), up=True, detail="REGED"),
        TrunkChanged(switch=S, trunk=TrunkId("5"), up=False, detail="NOREG"),
    ]


def test_another_boot_means_that_no_leg_survived(pair: Pair) -> None:
    control, ports = pair
    control.link_up("boot-1")
    arrive(control, ports)
    control.execute(play())
    control.link_down()
    control.link_up("boot-1")
    assert ports.take() == [LinkUp(switch=S, boot="boot-1")]
    control.link_down()
    control.link_up("boot-2")
    told = ports.take()
    assert [type(e) for e in told] == [PlayEnded, LegHungUp, LinkUp]
    assert len(control.legs) == 0


def test_a_long_jump_in_the_sequence_reads_the_switch(pair: Pair) -> None:
    control, ports = pair
    for sequence in ("10", "12", "11", "900", "1899"):
        control.event(event("HEARTBEAT", "", Event__Sequence=sequence))
    assert ports.commands() == []
    control.event(event("HEARTBEAT", "", Event__Sequence="3000"))
    control.event(event("HEARTBEAT", "", Event__Sequence="9000"))
    assert ports.commands() == READING


def test_the_switch_is_asked_for_trunks_of_which_it_says_nothing(pair: Pair) -> None:
    control, ports = pair
    for reply, up in (
        ("Name    \ttelco\nState   \tNOREG\nStatus  \tUP\n", True),
        ("State   \tNOREG\nStatus  \tDOWN (ping)\n", False),
        ("State   \tFAIL_WAIT\nStatus  \tDOWN\n", False),
        ("Invalid Gateway!\n", False),
        (NO_TRUNK, None),
    ):
        control.request_snapshot()
        ports.reply('{"row_count": 0}\n')
        ports.reply(reply)
        ports.reply('{"row_count": 0}\n')
        told = [e for e in ports.take() if isinstance(e, TrunkChanged)]
        assert [(e.trunk, e.up) for e in told] == ([(TrunkId("5"), up)] if up is not None else [])


def dump(leg: str, **headers: str) -> str:
    return json.dumps(event("CHANNEL_DATA", leg, **headers))


def test_a_snapshot_holds_our_legs_and_names_the_others(pair: Pair) -> None:
    control, ports = pair
    control.request_snapshot()
    control.request_snapshot()  # while one is under way: one more after it
    ports.reply('{"row_count":1,"rows":[{"reg_user":"1001"}]}')
    ports.reply(NO_TRUNK)
    ports.reply(json.dumps({"rows": [{"uuid": leg} for leg in ("c", "a", "x", "gone", "odd id\n")]}))
    tags = {"Channel__State": "CS_EXCHANGE_MEDIA", "variable_trunkline_leg": "customer:k-c1:7"}
    # The third and fourth replies are those to the four dumps, in order.
    ports.reply(dump("c", **tags, Other__Leg__Unique__ID="a"))
    ports.reply(dump("a", **(tags | {"variable_trunkline_leg": "agent:k-c1:7:12"}), Other__Leg__Unique__ID="dead"))
    ports.reply(dump("x"))
    ports.reply("-ERR No such channel!\n")
    (told,) = ports.take()
    assert isinstance(told, SwitchSnapshot) and told.registered == ("1001",)
    assert [(leg.leg, leg.role, leg.bridged_to) for leg in told.legs] == [
        ("c", LegRole.CUSTOMER, "a"),
        ("a", LegRole.AGENT, None),
    ]
    assert len(ports.commands()) == 3 + 4 + 3, "the second reading has begun"
    ports.reply("{}")
    ports.reply(NO_TRUNK)
    ports.reply('{"row_count": 0}\n')
    (told,) = ports.take()
    assert isinstance(told, SwitchSnapshot) and told.legs == () == told.registered


def test_a_call_that_waits_for_an_engine_that_is_gone_is_fetched(pair: Pair) -> None:
    control, ports = pair
    waiting = dump(
        "stuck",
        variable_current_application="socket",
        Caller__Context="trunkline",
        Channel__State="CS_EXECUTE",
    )

    def read() -> list[str]:
        control.request_snapshot()
        ports.commands()
        for reply in ("{}", NO_TRUNK, '{"rows":[{"uuid":"stuck"},{"uuid":"other"}]}', waiting, dump("other")):
            ports.reply(reply)
        return ports.commands()[2:]

    assert read() == []
    ports.pass_ms(500)
    assert read() == []
    ports.pass_ms(500)
    assert read() == ["api uuid_transfer stuck arrival XML trunkline"]
    ports.reply()
    ports.pass_ms(5000)
    assert read() == [], "a fresh wait begins"


def test_half_a_snapshot_is_none(pair: Pair) -> None:
    control, ports = pair
    control.request_snapshot()
    ports.reply("{}")
    ports.reply(NO_TRUNK)
    ports.reply('{"rows":[{"uuid":"a"},{"uuid":"b"}]}')
    ports.reply(dump("a", variable_trunkline_leg="customer:k-c1:7"))
    ports.reply_all(LINK_LOST)
    assert ports.take() == []
    control.request_snapshot()
    ports.reply("{}")
    ports.reply(NO_TRUNK)
    ports.reply("-ERR show Command not found!\n")
    assert ports.take() == []


def test_a_leg_of_an_earlier_engine_is_taken_up_by_its_tags(pair: Pair) -> None:
    control, ports = pair
    tags = {"variable_trunkline_leg": "agent:k-c1:7:12"}
    control.event(event("CHANNEL_PARK", AGENT) | tags)
    control.event(event("CHANNEL_PARK", "a-stranger-s"))
    assert ports.take() == [LegAnswered(switch=S, leg=AGENT), LegParked(switch=S, leg=AGENT)]


def test_a_command_that_cannot_be_carried_out_says_so() -> None:
    commands: list[c.Command] = [
        c.BridgeLegs(switch=S, leg=AGENT, other=CUSTOMER), play(), start_recording(), music(),
    ]  # fmt: skip
    events = [failure_of(command, "LINK_DOWN") for command in commands]
    assert [type(e).__name__ for e in events] == ["BridgeFailed", "PlayEnded", "RecordingFailed", "NoneType"]


def test_an_arrival_that_names_no_channel_is_refused(pair: Pair) -> None:
    control, ports = pair
    with pytest.raises(clean.Unsafe):
        control.arrived({"Caller-Caller-ID-Name": "x"})
    assert ports.take() == []


def test_a_leg_that_parks_on_its_way_into_a_room_is_in_the_room(pair: Pair) -> None:
    control, ports = pair
    originate(control)
    control.event(event("CHANNEL_PARK", AGENT))
    control.execute(c.JoinRoom(switch=S, leg=AGENT, room="k-c1"))
    control.event(event("CHANNEL_PARK", AGENT))  # whom it talked with was moved first
    member = {"Event-Subclass": "conference::maintenance", "Action": "add-member", "Conference-Name": "k-c1"}
    control.event(event("CUSTOM", AGENT) | member)
    assert ports.take()[-1] == LegJoined(switch=S, leg=AGENT, room="k-c1")
    ports.commands()
    control.execute(c.StartMusic(switch=S, leg=AGENT))
    assert not ports.commands(), "nobody there would hear the others through it"
    control.execute(c.ParkLeg(switch=S, leg=AGENT))
    assert f"api uuid_park {AGENT}" in ports.commands()
