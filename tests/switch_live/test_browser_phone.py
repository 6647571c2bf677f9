"""The telephone in the page, on a real switch: registered over its WebSocket, sound both ways, all of it recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from tests.coturn import SECRET, Coturn
from tests.switch_live import sound
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import call_into_sales, talking, until
from tests.switch_live.pages import humming_page, web
from tests.switch_live.waiting import eventually
from tests.switch_live.wire import Wire

NUMBER = "13700000077"
PASSWORD = "cloudbridge-demo"


@pytest.fixture
def wire(rig: Rig) -> Iterator[Wire]:
    """Between the page's telephone and the switch."""
    wire = Wire(rig.center.rows("SELECT ws_port FROM telephony_switch")[0]["ws_port"])
    yield wire
    wire.stop()


@pytest.fixture
def page(rig: Rig, wire: Wire) -> Iterator[Page]:
    with lina_at_her_page(rig, wire) as opened:
        yield opened


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Coturn]:
    relay = Coturn(tmp_path)
    relay.start()
    yield relay
    relay.stop()


@contextmanager
def lina_at_her_page(rig: Rig, wire: Wire) -> Iterator[Page]:
    """李娜 signed in at the console, her telephone in the page."""
    rig.center.call("browser_seat", "1002", f"ws://127.0.0.1:{wire.port}")
    with web(rig.center) as url, humming_page(rig.directory, url, sound.AGENT_HZ) as opened:
        opened.goto("/login/")
        opened.locator("input[name=login], input[name=username]").first.fill("lina")
        opened.fill("[name=password]", PASSWORD)
        opened.locator("[data-testid=sign-in] button").first.click()
        in_state(opened, "PAUSED")
        yield opened
        rig.center.call("place", {"websocket_url": ""}, {}, {})


def in_state(page: Page, state: str) -> None:
    page.wait_for_selector(f"[data-testid=agent-state][data-state={state}]")


def heard_bytes(page: Page) -> int:
    return int(page.get_attribute("[data-testid=console]", "data-sound-bytes") or 0)


def test_a_browser_talks_with_a_caller_and_the_recording_holds_both(rig: Rig, page: Page) -> None:
    sales = rig.center.agent("李娜")
    expect(page.get_by_test_id("preflight")).to_have_attribute("data-ok", "true", timeout=30_000)
    page.click("[data-action=ready]")
    in_state(page, "READY")
    caller = call_into_sales(rig, NUMBER)
    in_state(page, "OFFERED")
    expect(page.get_by_test_id("call-number")).to_have_text(NUMBER)
    page.keyboard.press("F2")
    in_state(page, "TALKING")
    call = talking(rig, NUMBER, sales)

    before = eventually(lambda: heard_bytes(page), 20, "sound reaches the page")
    eventually(lambda: heard_bytes(page) > before + 4_000, 20, "and goes on")
    expect(page.get_by_test_id("quality")).to_contain_text("MOS")
    recording = eventually(lambda: rig.center.rows("SELECT * FROM recordings_recording WHERE call_id = %s", call.id))[0]
    path = rig.switch.recordings / recording["path"]
    eventually(lambda: path.exists() and path.stat().st_size > 4 * 8000 * 2 * 2, 30, "four seconds recorded")

    trouble_of_devices(page)
    assert not caller.gone
    page.keyboard.press("Control+F2")
    in_state(page, "WRAP_UP")
    page.locator("label:has([data-disposition=resolved])").click()
    page.keyboard.press("Control+Enter")
    in_state(page, "READY")
    rig.center.wait_for(sales, AgentState.READY)

    from_caller, from_page = (channel[12_000:28_000] for channel in sound.channels(path))
    assert sound.strength(from_caller, sound.CALLER_HZ) > 0.3 > sound.strength(from_caller, sound.AGENT_HZ)
    assert sound.strength(from_page, sound.AGENT_HZ) > 0.3 > sound.strength(from_page, sound.CALLER_HZ)


def trouble_of_devices(page: Page) -> None:
    """No microphone: the customer hears music. Another one: it takes over. A silent one and a bad network are said."""
    banner = page.get_by_test_id("banner")
    page.evaluate("unplug()")
    in_state(page, "HOLDING")
    expect(banner).to_contain_text("未找到麦克风")
    page.evaluate("plug()")
    expect(banner).to_contain_text("耳机断开,已切换到")
    page.keyboard.press("F4")
    in_state(page, "TALKING")
    page.evaluate("silence(true); window.lossy = true")
    expect(banner).to_contain_text("麦克风没有声音", timeout=30_000)
    expect(banner).to_contain_text("通话质量差:丢包", timeout=30_000)
    page.evaluate("silence(false); window.lossy = false")
    expect(banner).not_to_contain_text("麦克风没有声音", timeout=30_000)
    expect(banner).not_to_contain_text("通话质量差", timeout=30_000)


def test_a_page_loaded_anew_in_mid_call_has_its_sound_back_in_the_same_call(rig: Rig, page: Page, wire: Wire) -> None:
    """And one whose line to the switch broke never lost it."""
    sales = rig.center.agent("李娜")
    expect(page.get_by_test_id("preflight")).to_have_attribute("data-ok", "true", timeout=30_000)
    page.click("[data-action=ready]")
    in_state(page, "READY")
    caller = call_into_sales(rig, NUMBER)
    in_state(page, "OFFERED")
    page.keyboard.press("F2")
    call = talking(rig, NUMBER, sales)
    eventually(lambda: heard_bytes(page) > 4_000, 20, "sound reaches the page")
    page.keyboard.press("F8")
    expect(page.get_by_test_id("call-flags")).to_contain_text("已静音")

    lines = wire.taken
    wire.cut()
    eventually(lambda: wire.taken > lines, 20, "the telephone's line is back")
    expect(page.locator("[data-code=E14]")).to_have_count(0, timeout=20_000)
    before = heard_bytes(page)
    eventually(lambda: heard_bytes(page) > before + 24_000, 20, "the sound went on over the new line")
    same = talking(rig, NUMBER, sales)
    assert same.bridge is not None and call.bridge is not None and same.bridge.leg == call.bridge.leg

    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    in_state(page, "TALKING")
    expect(page.locator("[data-code=E10]")).to_be_visible()
    again = talking(rig, NUMBER, sales)
    assert again.id == call.id and not caller.gone
    assert again.bridge is not None and call.bridge is not None and again.bridge.leg != call.bridge.leg
    expect(page.get_by_test_id("call-flags")).to_contain_text("已静音")
    page.keyboard.press("F8")
    before = heard_bytes(page)
    eventually(lambda: heard_bytes(page) > before + 4_000, 20, "the caller is heard again")

    recording = rig.center.rows("SELECT * FROM recordings_recording WHERE call_id = %s", call.id)
    assert len(recording) == 1, "one recording holds both halves of the talk"
    path = rig.switch.recordings / recording[0]["path"]
    so_far = path.stat().st_size
    eventually(lambda: path.stat().st_size > so_far + 4 * 8000 * 2 * 2, 30, "four more seconds recorded")
    page.keyboard.press("Control+F2")
    in_state(page, "WRAP_UP")
    from_caller, from_page = (channel[-20_000:-8_000] for channel in sound.channels(path))
    # The window may begin before all of it is sound again; silence and the other's tone would give next to nothing.
    assert sound.strength(from_page, sound.AGENT_HZ) > 0.3, "and so is the agent"
    assert sound.strength(from_caller, sound.CALLER_HZ) > 0.3


def test_a_caller_whose_agents_page_is_gone_hears_music_and_then_the_agent(rig: Rig, page: Page) -> None:
    expect(page.get_by_test_id("preflight")).to_have_attribute("data-ok", "true", timeout=30_000)
    sales = rig.center.agent("李娜")
    assert sales.device is not None
    account = sales.device.address
    eventually(lambda: account in rig.switch.api.api("sofia status profile agents reg"), 20, "registered")
    page.click("[data-action=ready]")
    in_state(page, "READY")
    page.evaluate("unplug()")
    expect(page.get_by_test_id("preflight")).to_have_attribute("data-ok", "false")
    eventually(lambda: not rig.center.state().agents[sales.id].media_ready, 20, "the engine knows")
    caller = call_into_sales(rig, NUMBER)
    waiting = until(rig, NUMBER, lambda now: now.state is CallState.WAITING, "waiting")
    assert waiting.offer is None, "nobody who could not be heard is offered a caller"
    page.evaluate("plug()")
    in_state(page, "OFFERED")
    page.keyboard.press("F2")
    call = talking(rig, NUMBER, sales)

    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("about:blank")
    parked = until(rig, NUMBER, lambda now: now.state is CallState.REJOINING and now.rejoin is not None, "parked")
    assert parked.id == call.id and not caller.gone
    eventually(lambda: account not in rig.switch.api.api("sofia status profile agents reg"), 20, "off the switch")
    rig.center.wait_for(sales, AgentState.DISCONNECTED, 30)
    page.goto("/agent/")
    in_state(page, "TALKING")
    assert talking(rig, NUMBER, sales).id == call.id
    eventually(lambda: heard_bytes(page) > 4_000, 20, "the caller is heard again")
    caller.hang_up()
    in_state(page, "WRAP_UP")


# Sound takes the relay alone, as where nothing else leaves the building.
RELAYED_ONLY = """
const Connection = RTCPeerConnection;
window.RTCPeerConnection = class extends Connection {
    constructor(configuration) { super({...configuration, iceTransportPolicy: "relay"}); }
};
"""


def test_a_page_whose_network_changes_in_mid_call_finds_another_way_in_the_same_call(
    rig: Rig, wire: Wire, relay: Coturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line to the switch breaks and every way of the sound is gone: registered anew, an ICE restart mends both."""
    servers = {"TURN_SERVERS": f"turn:127.0.0.1:{relay.port}?transport=udp", "TURN_SECRET": SECRET}
    monkeypatch.setattr(rig.center, "environment", rig.center.environment | servers)
    sales = rig.center.agent("李娜")
    with lina_at_her_page(rig, wire) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        page.context.add_init_script(f"(() => {{{RELAYED_ONLY}}})()")
        page.goto("/agent/")
        expect(page.get_by_test_id("preflight")).to_have_attribute("data-ok", "true", timeout=30_000)
        page.click("[data-action=ready]")
        in_state(page, "READY")
        call_into_sales(rig, NUMBER)
        in_state(page, "OFFERED")
        page.keyboard.press("F2")
        call = talking(rig, NUMBER, sales)
        eventually(lambda: heard_bytes(page) > 4_000, 20, "sound reaches the page through the relay")
        relay.stop()
        wire.cut()
        relay.start()
        before = heard_bytes(page)
        eventually(lambda: heard_bytes(page) > before + 24_000, 30, "the sound found another way")
        same = talking(rig, NUMBER, sales)
        assert same.bridge is not None and call.bridge is not None and same.bridge.leg == call.bridge.leg
        page.keyboard.press("Control+F2")
        in_state(page, "WRAP_UP")


@pytest.fixture
def kept(rig: Rig, page: Page) -> Iterator[Page]:
    """Her page, and its line to the switch stays open between calls."""
    rig.center.call("keep_open", "1002", True)
    eventually(lambda: _line_is(rig, "kept"), 20, "the engine knows")
    expect(page.get_by_test_id("preflight")).to_have_attribute("data-ok", "true", timeout=30_000)
    page.click("[data-action=ready]")
    in_state(page, "READY")
    yield page
    rig.center.call("keep_open", "1002", False)


def _line_is(rig: Rig, wanted: str) -> str:
    """Its id on the switch once it stands; ``kept``: of her telephone, whether it stands or not."""
    sales = rig.center.agent("李娜")
    if wanted == "kept":
        return "yes" if sales.device is not None and sales.device.kept_open else ""
    line = rig.center.state().agents[sales.id].kept
    return line.leg if line is not None and line.deadline_ms is None else ""


def test_a_line_that_stays_open_in_the_page_brings_one_caller_after_another(rig: Rig, kept: Page) -> None:
    sales = rig.center.agent("李娜")
    line = eventually(lambda: _line_is(rig, "open"), 20, "the line stands")
    expect(kept.get_by_text("话路已保持,来电有提示音")).to_be_visible()
    for number in ("13700000078", "13700000079"):
        call_into_sales(rig, number)
        in_state(kept, "TALKING")  # by itself, after a beep
        call = talking(rig, number, sales)
        expect(kept.get_by_test_id("call-number")).to_have_text(number)
        before = heard_bytes(kept)
        eventually(lambda before=before: heard_bytes(kept) > before + 4_000, 20, "the caller is heard")  # type: ignore[misc]
        assert call.bridge is not None and call.legs[call.bridge.leg].lent == line
        kept.keyboard.press("Control+F2")
        in_state(kept, "WRAP_UP")
        kept.locator("label:has([data-disposition=resolved])").click()
        kept.keyboard.press("Control+Enter")
        in_state(kept, "READY")
        assert _line_is(rig, "open") == line, "the same line"


def test_a_page_with_an_open_line_that_is_loaded_anew_in_mid_call_has_the_call_back(rig: Rig, kept: Page) -> None:
    sales = rig.center.agent("李娜")
    eventually(lambda: _line_is(rig, "open"), 20, "the line stands")
    caller = call_into_sales(rig, NUMBER)
    in_state(kept, "TALKING")
    call = talking(rig, NUMBER, sales)
    kept.on("dialog", lambda dialog: dialog.accept())
    kept.reload()
    in_state(kept, "TALKING")
    expect(kept.locator("[data-code=E10]")).to_be_visible()
    assert talking(rig, NUMBER, sales).id == call.id and not caller.gone
    before = heard_bytes(kept)
    eventually(lambda: heard_bytes(kept) > before + 4_000, 20, "the caller is heard again")
    kept.keyboard.press("Control+F2")
    in_state(kept, "WRAP_UP")
