"""The rendered files on the real switch: they load, they are quiet, and they let nobody in who should not be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.switch_live.conftest import Rig
from tests.switch_live.event_socket import EventSocket, Refused
from tests.switch_live.phones import Seat, dial, register
from tests.switch_live.waiting import eventually

MODULES = {
    "mod_commands", "mod_conference", "mod_db", "mod_dialplan_xml", "mod_dptools", "mod_event_socket", "mod_expr",
    "mod_hash", "mod_json_cdr", "mod_local_stream", "mod_logfile", "mod_native_file", "mod_opus", "mod_sndfile",
    "mod_sofia", "mod_tone_stream",
}  # fmt: skip


def _modules(rig: Rig) -> set[str]:
    return {row["ikey"] for row in json.loads(rig.switch.api.api("show modules as json"))["rows"]}


def test_it_loads_without_a_complaint(installed: Rig) -> None:
    assert installed.switch.complaints_at_start == []
    # ``show`` reads a table that the switch fills a moment after a module has loaded.
    eventually(lambda: _modules(installed) >= MODULES, 20, "every module listed")
    status = installed.switch.api.api("sofia status")
    assert status.count("RUNNING") == 2
    assert "trunks::carrier" in status


def test_event_socket_refuses_a_wrong_password(installed: Rig) -> None:
    with pytest.raises(Refused, match="invalid"):
        EventSocket(installed.switch.event_socket_port, "ClueCon")


def test_no_shell_and_no_api_in_arguments(installed: Rig, tmp_path: Path) -> None:
    api = installed.switch.api
    proof = tmp_path / "pwned"
    assert "off" in api.api("fsctl api_expansion")
    assert api.api(f"system touch {proof}").startswith("-ERR")
    for name in (
        f"${{system(touch {proof})}}",
        "${global_getvar(domain)}",
        f"x%0aEvent-Name: HEARTBEAT%0a${{bg_system({proof})}}",
    ):
        caller = installed.caller(display=name)
        uuid = eventually(lambda: [row["uuid"] for row in api.channels()])[0]
        assert api.variable(uuid, "trunkline_did") == "4008005566"
        api.api(f"uuid_kill {uuid}")
        eventually(lambda: not api.channels())
        caller.stop()
    assert not proof.exists()


def test_a_number_that_is_none_never_becomes_an_argument(installed: Rig) -> None:
    api = installed.switch.api
    installed.caller(did="$%7Bsystem(id)%7D")
    uuid = eventually(lambda: [row["uuid"] for row in api.channels()])[0]
    assert api.variable(uuid, "trunkline_did") == ""
    installed.clean_up()


def test_accounts_register_with_their_secret_only(installed: Rig) -> None:
    row = installed.center.rows("SELECT username, secret FROM telephony_sipaccount ORDER BY username")[0]
    domain = installed.center.rows("SELECT domain FROM telephony_switch")[0]["domain"]
    place = (installed.directory, installed.agents_port, domain, row["username"])
    assert register(*place, "not-the-secret", 5999, wanted="403")
    assert register(*place, row["secret"], 5999)
    assert "sip:" in installed.switch.api.api(f"sofia_contact */{row['username']}@{domain}")


def test_a_telephone_reaches_neither_the_arrival_extension_nor_the_outside(installed: Rig) -> None:
    """Not registered and not authenticated it gets nowhere; the access list shuts the trunks' door to strangers."""
    api = installed.switch.api
    assert api.api("acl 203.0.113.9 trunks").strip() == "false"
    assert api.api("acl 127.0.0.1 trunks").strip() == "true"
    assert api.api("acl 203.0.113.9 engines").strip() == "false"
    dialplan = api.api("xml_locate dialplan")
    agents = dialplan.split('context name="trunkline-agents-cloudbridge"')[1].split("</context>")[0]
    assert "user/" in agents and "gateway" not in agents and "arrival" not in agents


def test_a_telephone_reaches_a_colleague_and_nothing_else(installed: Rig) -> None:
    rows = installed.center.rows("SELECT username, secret FROM telephony_sipaccount ORDER BY username LIMIT 2")
    domain = installed.center.rows("SELECT domain FROM telephony_switch")[0]["domain"]
    colleague = Seat(installed.directory)
    installed.phones.append(colleague)
    place = (installed.directory, installed.agents_port, domain)
    assert register(*place, rows[1]["username"], rows[1]["secret"], colleague.port)
    mine = (*place, rows[0]["username"], rows[0]["secret"])
    assert dial(*mine, rows[1]["username"], wanted="200")
    for number in ("arrival", "4008005566", "02155550199", "2001", "fallback"):
        assert dial(*mine, number, wanted="404"), number
    installed.clean_up()


def test_every_prompt_of_the_story_is_on_the_switch(installed: Rig) -> None:
    rows = installed.center.rows("SELECT sound_zh, sound_en FROM telephony_prompt")
    names = {name for row in rows for name in row.values() if name}
    assert len(names) >= 20
    for name in names:
        assert (installed.switch.directory / "sounds" / "8000" / name).stat().st_size > 4000


def test_without_an_engine_the_caller_reaches_the_fallback_and_the_duty_number(installed: Rig) -> None:
    """Nothing listens on the arrival address: music, then the announcement, then the tenant's number by its trunk."""
    installed.center.stop_engine()
    api = EventSocket(installed.switch.event_socket_port, installed.switch.password)
    api.subscribe("CHANNEL_EXECUTE")
    installed.caller()
    seen: list[tuple[str, str]] = []
    while not any(application == "bridge" for application, _ in seen):
        event = api.next_event(60)
        seen.append((event["Application"], event.get("Application-Data", "")))
    applications = [application for application, _ in seen]
    assert applications.count("socket") == 13
    assert applications.count("playback") >= 13
    assert seen[-1][1].endswith("sofia/gateway/carrier/02155550199")
    api.close()
    installed.clean_up()
