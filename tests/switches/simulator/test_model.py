"""The model where it is harsher than a mock would be: gaps, leases, dead controllers, zombies."""

from __future__ import annotations

from typing import Any

import pytest

from apps.switches.simulator import api, sockets
from apps.switches.simulator.channel import Channel, Job, Message
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.dialplan import Dialplan
from apps.switches.simulator.faults import FaultRates, Faults
from apps.switches.simulator.media import SoundLibrary
from apps.switches.simulator.model import Switch
from apps.switches.simulator.phones import Answering, PhoneBehaviour, PhoneBook


class Engine:
    """The far end of arrival sockets."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.accepts = True
        self.held: list[Channel] = []
        switch.dial = self.dialled

    def dialled(self, channel: Channel, hosts: list[str]) -> None:
        if self.accepts:
            sockets.accepted(self.switch, channel, self, hosts[0])
        else:
            sockets.refused(channel)

    def attached(self, channel: Channel) -> None:
        self.held.append(channel)

    def hung_up(self, channel: Channel) -> None:
        self.held = [c for c in self.held if c is not channel]

    def die(self) -> None:
        self.accepts = False
        for channel in self.held:
            sockets.controller_gone(self.switch, channel, self)
        self.held.clear()


class Place:
    def __init__(self, **options: Any) -> None:
        self.switch = Switch(seed=5, clock=Scheduler(1000), gateways=("out",), **options)
        self.engine = Engine(self.switch)
        self.phones = PhoneBook(self.switch, 5)
        self.phones.add("1001", PhoneBehaviour(delay_ms=(50, 50)))
        self.phones.add("1002", PhoneBehaviour(answering=Answering.TOLD))
        self.heard: list[tuple[str, str]] = []
        self.switch.listeners.append(self._heard)

    def _heard(self, name: str, channel: Channel | None, headers: dict[str, str]) -> None:
        about = channel.uuid if channel is not None else headers.get("_body", "")
        self.heard.append((name, about))

    def names(self, channel: Channel) -> list[str]:
        return [name for name, uuid in self.heard if uuid == channel.uuid]

    def pass_ms(self, ms: int) -> None:
        self.switch.clock.run_until(self.switch.clock.now_ms + ms)

    def caller(self) -> Channel:
        channel = self.switch.arrive(destination="4001", caller_number="13800138000")
        self.pass_ms(50)
        self.switch.answer(channel)
        return channel

    def agent(self, uuid: str = "agent-1", **variables: str) -> Channel:
        pairs = ",".join(f"{name}={value}" for name, value in {"origination_uuid": uuid, **variables}.items())
        self.switch.originate(f"{{{pairs}}}user/1001 &park()", Job("job", "originate", ""))
        self.pass_ms(100)
        channel = self.switch.find(uuid)
        assert channel is not None
        return channel

    def execute(self, channel: Channel, app: str, data: str, *, locked: bool = True) -> None:
        self.switch.executor.send(channel, Message(app, data, "token", locked))
        self.pass_ms(30)


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_bridge_is_up_forty_ms_after_the_command(place: Place) -> None:
    caller, agent = place.caller(), place.agent()
    assert place.switch.bridge(agent.uuid, caller.uuid) == f"+OK {caller.uuid}\n"
    place.pass_ms(39)
    assert agent.bridged_to is None
    place.pass_ms(1)
    assert agent.bridged_to is caller
    assert "CHANNEL_BRIDGE" in place.names(agent)
    assert "CHANNEL_BRIDGE" not in place.names(caller)


@pytest.mark.parametrize("after_ms", [0, 10, 25])
def test_an_agent_who_dies_early_in_the_gap_leaves_the_caller_stuck(place: Place, after_ms: int) -> None:
    caller, agent = place.caller(), place.agent()
    place.switch.bridge(agent.uuid, caller.uuid)
    place.pass_ms(after_ms)
    place.switch.hang_up(agent, "NORMAL_CLEARING")
    place.pass_ms(60_000)
    assert caller.alive
    assert caller.state == "CS_SOFT_EXECUTE"
    assert "CHANNEL_BRIDGE" not in place.names(caller) + place.names(agent)
    place.execute(caller, "playback", "menu.wav")
    assert not caller.apps, "nothing runs on a stuck leg"
    place.switch.transfer(caller, ["arrival", "XML", "trunkline"])
    place.pass_ms(100)
    assert place.engine.held[-1] is caller


def test_a_caller_who_dies_in_the_gap_takes_the_agent_with_him(place: Place) -> None:
    caller, agent = place.caller(), place.agent()
    place.switch.bridge(agent.uuid, caller.uuid)
    place.pass_ms(10)
    place.switch.hang_up(caller, "NORMAL_CLEARING")
    place.pass_ms(100)
    assert not agent.alive


def test_a_persistent_agent_leg_outlives_its_callers(place: Place) -> None:
    agent = place.agent(park_after_bridge="true")
    for _ in range(3):
        caller = place.caller()
        place.switch.bridge(agent.uuid, caller.uuid)
        place.pass_ms(100)
        assert agent.bridged_to is caller
        place.switch.hang_up(caller, "NORMAL_CLEARING")
        place.pass_ms(100)
        assert agent.state == "CS_PARK"


def test_park_timeout_ends_a_leg_that_nobody_bridges(place: Place) -> None:
    agent = place.agent(park_timeout="15")
    place.pass_ms(14_000)
    assert agent.alive
    place.pass_ms(2_000)
    assert not agent.alive
    other = place.agent("agent-2", park_timeout="15")
    place.switch.bridge(other.uuid, place.caller().uuid)
    place.pass_ms(60_000)
    assert other.alive, "a bridged leg is not parked"


def test_the_caller_comes_back_after_the_talk_and_the_way_back_is_used_up(place: Place) -> None:
    caller, agent = place.caller(), place.agent()
    place.switch.bridge(agent.uuid, caller.uuid)
    place.pass_ms(100)
    caller.variables["transfer_after_bridge"] = "arrival:XML:trunkline"
    place.switch.dialplan = Dialplan(extensions={"arrival": (("park", ""),)})
    place.switch.hang_up(agent, "NORMAL_CLEARING")
    place.pass_ms(50)
    assert caller.destination == "arrival"
    assert "transfer_after_bridge" not in caller.variables


def test_the_ladder_tries_the_engine_again_and_ends_in_the_fallback() -> None:
    place = Place(dialplan=Dialplan(rungs=3, music_ms=2000))
    place.engine.accepts = False
    caller = place.switch.arrive(destination="4001", caller_number="1")
    place.pass_ms(3_000)
    place.engine.accepts = True
    place.pass_ms(2_000)
    assert place.engine.held == [caller]
    place.engine.die()
    place.pass_ms(3_000)
    assert caller.variables.get("trunkline_fallback") == "true"
    place.pass_ms(5_000)
    assert not caller.alive


def test_death_of_an_idle_calls_controller_is_noticed_at_once(place: Place) -> None:
    caller = place.caller()
    place.engine.die()
    place.pass_ms(30)
    assert caller.apps[-1].name == "playback"


def test_death_of_a_playing_calls_controller_is_noticed_when_it_ends(place: Place) -> None:
    caller = place.caller()
    place.execute(caller, "playback", "{timeout=20000}local_stream://default")
    place.engine.die()
    place.pass_ms(15_000)
    assert caller.apps[-1].data.endswith("local_stream://default")
    assert [app.name for app in caller.apps] == ["socket", "playback"]
    place.pass_ms(6_000)
    assert [app.name for app in caller.apps] == ["playback"], "the ladder's own music"


def test_a_parked_caller_whose_socket_dies_is_a_zombie(place: Place) -> None:
    caller, agent = place.caller(), place.agent()
    caller.variables["park_after_bridge"] = "true"
    place.switch.bridge(agent.uuid, caller.uuid)
    place.pass_ms(100)
    place.switch.hang_up(agent, "NORMAL_CLEARING")
    place.pass_ms(100)
    sockets.controller_gone(place.switch, caller, place.engine)
    place.execute(caller, "hangup", "")
    assert caller.alive
    assert place.switch.transfer(caller, ["park", "XML", "trunkline"]) == "+OK\n"
    place.pass_ms(50)
    assert [app.name for app in caller.apps] == ["park"]


def test_an_unknown_application_ends_the_call(place: Place) -> None:
    caller = place.caller()
    place.execute(caller, "no_such_application", "")
    assert not caller.alive


@pytest.mark.parametrize(
    ("terminators", "digit", "ends"), [("none", "1", False), ("any", "1", True), ("#", "1", False), ("#", "#", True)]
)
def test_terminators(place: Place, terminators: str, digit: str, ends: bool) -> None:
    caller = place.caller()
    caller.variables["playback_terminators"] = terminators
    place.execute(caller, "playback", "menu.wav")
    place.switch.press(caller, digit)
    assert ("DTMF", caller.uuid) in place.heard
    assert ([app.name for app in caller.apps] == ["socket"]) is ends


def test_endless_playback_swallows_keys(place: Place) -> None:
    caller = place.caller()
    place.execute(caller, "endless_playback", "music.wav")
    place.switch.press(caller, "1")
    assert ("DTMF", caller.uuid) not in place.heard


def test_without_event_lock_a_message_nests(place: Place) -> None:
    caller = place.caller()
    place.execute(caller, "playback", "music.wav", locked=False)
    place.execute(caller, "playback", "announcement.wav", locked=False)
    assert [app.name for app in caller.apps] == ["socket", "playback", "playback"]


def test_an_endpoint_that_does_not_exist(place: Place) -> None:
    for dial, cause in {
        "sofia/gateway/nope/139": "INVALID_GATEWAY",
        "sofia/nope/1@127.0.0.1": "INVALID_PROFILE",
        "user/404": "USER_NOT_REGISTERED",
    }.items():
        place.heard.clear()
        place.switch.originate(f"{{origination_uuid=x}}{dial} &park()", Job("j", "originate", ""))
        assert ("BACKGROUND_JOB", f"-ERR {cause}\n") in place.heard
        assert place.switch.find("x") is None


@pytest.mark.parametrize(
    ("argument", "variables"),
    [
        ("{a=1,b=2}user/1001 &park()", {"a": "1", "b": "2"}),
        ("{a='x,y',b=2}user/1001 &park()", {"a": "x,y", "b": "2"}),
        (r"{a=x\,y}user/1001 &park()", {"a": "x,y"}),
        ("{^^;a=x,y;b=2}user/1001 &park()", {"a": "x,y", "b": "2"}),
        ("{a=1}[b=2]user/1001 &park()", {"a": "1", "b": "2"}),
        ("user/1001 &park()", {}),
    ],
)
def test_variables_of_a_dial_string(argument: str, variables: dict[str, str]) -> None:
    from apps.switches.simulator.originate import parse

    dial = parse(argument)
    assert dial is not None
    assert dial.variables == variables
    assert (dial.endpoint, dial.address, dial.application) == ("user", "1001", ("park", ""))


@pytest.mark.parametrize("argument", ["", "{a=1", "nonsense", "sofia/gateway/out", "user/"])
def test_a_dial_string_that_is_none(place: Place, argument: str) -> None:
    place.switch.originate(argument, Job("j", "originate", ""))
    assert place.heard[-1][1].startswith("-")


def test_a_gateway_that_is_down(place: Place) -> None:
    place.switch.set_gateway("out", False)
    place.switch.originate("sofia/gateway/out/139 &park()", Job("j", "originate", ""))
    assert ("BACKGROUND_JOB", "-ERR NETWORK_OUT_OF_ORDER\n") in place.heard


def test_global_variables_compare_and_set(place: Place) -> None:
    run = lambda text: api.run(place.switch, *text.split(" ", 1))  # noqa: E731
    assert run("global_setvar leader=a") == "+OK"
    assert run("global_setvar leader=b=x") == "+OK"
    assert run("global_getvar leader") == "a"
    run("global_setvar leader=b=a")
    assert run("global_getvar leader") == "b"


def test_show_lags_when_it_is_told_to() -> None:
    place = Place(faults=Faults(FaultRates(show_lag_ms=200)))
    caller = place.caller()
    assert '"row_count": 0' in api.run(place.switch, "show", "channels as json")
    place.pass_ms(300)
    assert caller.uuid in api.run(place.switch, "show", "channels as json")
    place.switch.hang_up(caller, "NORMAL_CLEARING")
    place.pass_ms(100)
    assert caller.uuid in api.run(place.switch, "show", "channels as json")
    place.pass_ms(200)
    assert '"row_count": 0' in api.run(place.switch, "show", "channels as json")


def test_a_full_switch_takes_no_more() -> None:
    place = Place(max_sessions=1)
    place.caller()
    assert not place.switch.arrive(destination="4001", caller_number="2").alive
    place.switch.originate("user/1001 &park()", Job("j", "originate", ""))
    assert place.heard[-1] == ("BACKGROUND_JOB", "-ERR DESTINATION_OUT_OF_ORDER\n")


def test_sounds_last_as_long_as_their_files(tmp_path: Any) -> None:
    import wave

    (tmp_path / "8000").mkdir()
    with wave.open(str(tmp_path / "8000" / "menu.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 8000))
    library = SoundLibrary(tmp_path)
    assert library.duration_ms("menu.wav") == (1000, True)
    assert library.duration_ms(f"{tmp_path}/menu.wav") == (1000, True)
    assert library.duration_ms("nope.wav") == (0, False)
    assert library.duration_ms("file_string://menu.wav!nope.wav!menu.wav") == (2000, True)
    assert library.duration_ms("{timeout=700}local_stream://default")[0] == 700
    assert library.duration_ms("tone_stream://%(500,500,440);loops=3")[0] == 3000
    assert library.duration_ms("silence_stream://-1")[0] is None
