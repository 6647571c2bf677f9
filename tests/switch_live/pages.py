"""The web process beside the live engine, and a Chromium with a microphone that hums a tone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import wave
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from math import pi, sin
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.switch_live.center import ROOT, Center
from tests.switch_live.waiting import eventually, free_ports

RATE = 48_000
# Filters made for speech would take a steady tone for noise and remove it.
HONEST_MICROPHONE = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
const unfiltered = {noiseSuppression: false, echoCancellation: false, autoGainControl: false};
const tracks = [];
navigator.mediaDevices.getUserMedia = async ({audio}) => {
    if (window.unplugged) throw new DOMException("nothing is plugged in", "NotFoundError");
    const stream = await open({audio: {...(audio === true ? {} : audio), ...unfiltered}});
    tracks.push(...stream.getAudioTracks());
    return stream;
};
"""
# What befalls devices and networks: the headset is pulled out and plugged in, its own mute is on, packets are lost.
TROUBLE = """
window.unplug = () => {
    window.unplugged = true;
    for (const track of tracks) { track.stop(); track.dispatchEvent(new Event("ended")); }
};
window.plug = () => {
    window.unplugged = false;
    navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
};
window.silence = (on) => { tracks.at(-1).enabled = !on; };
const getStats = RTCPeerConnection.prototype.getStats;
let lost = 0;
RTCPeerConnection.prototype.getStats = async function (...args) {
    const report = await getStats.apply(this, args);
    if (window.lossy) lost += 20;
    const worse = (item) => ("packetsLost" in item ? {...item, packetsLost: item.packetsLost + lost} : item);
    return new Map([...report].map(([id, item]) => [id, worse(item)]));
};
"""


def _tone(path: Path, hertz: int, seconds: int = 2) -> Path:
    samples = array("h", (round(9000 * sin(2 * pi * hertz * n / RATE)) for n in range(RATE * seconds)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return path


@contextmanager
def web(center: Center) -> Iterator[str]:
    """The web process of this centre; its address."""
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    environment = {**center.environment, "SECURE_COOKIES": "false", "DEBUG": "false"}
    with (center.directory / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "web", "--host", "127.0.0.1", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        eventually(lambda: _answers(url), 60, f"the web process, see {center.directory / 'web.log'}")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/accounts/login/", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextmanager
def humming_page(directory: Path, url: str, hertz: int) -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("SKIPPED: no Chromium on this machine (apt install chromium)")
    flags = [
        *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        f"--use-file-for-fake-audio-capture={_tone(directory / 'hum.wav', hertz)}",
        *("--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"),
    ]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=flags) as browser:
        context = browser.new_context(base_url=url, locale="zh-CN", viewport={"width": 1366, "height": 768})
        context.add_init_script(f"(() => {{{HONEST_MICROPHONE}{TROUBLE}}})()")
        page = context.new_page()
        page.set_default_timeout(30_000)
        yield page
