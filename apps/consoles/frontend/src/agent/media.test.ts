import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Live } from "$lib/live.svelte";
import { Media } from "./media.svelte";

const stored = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
let answer: (reply: Response) => void;

beforeEach(() => {
  vi.stubGlobal("AudioContext", class {
    state = "running";
  });
  vi.stubGlobal("localStorage", stored);
  vi.stubGlobal("sessionStorage", stored);
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("document", { querySelector: () => null });
  vi.stubGlobal("addEventListener", () => {});
  const reply = new Promise<Response>((resolve) => (answer = resolve));
  vi.stubGlobal("fetch", async () => (await reply).clone());
});
afterEach(() => vi.unstubAllGlobals());

test("a page that lost the sound while its account was on the way makes no telephone", async () => {
  const media = new Media({} as Live, "7", () => undefined, () => undefined);
  const begun = media.begin();
  media.tab.yield();
  answer(Response.json({ kind: "simulated", voices: {} }));
  await begun;
  expect(media.holding).toBe("other");
  expect(media.phone).toBeNull();
});

test("a page that loses the sound while its devices are listed starts nothing, and fails nowhere", async () => {
  let listed: (devices: MediaDeviceInfo[]) => void = () => {};
  vi.stubGlobal("navigator", { mediaDevices: { enumerateDevices: () => new Promise((resolve) => (listed = resolve)) } });
  const media = new Media({} as Live, "7", () => undefined, () => undefined);
  answer(Response.json({ kind: "simulated", voices: {} }));
  await vi.waitFor(() => expect(media.phone).not.toBeNull());
  const phone = media.phone;
  media.tab.yield();
  listed([]);
  await new Promise((next) => setTimeout(next)); // a failure here would be nobody's: the runner reports it
  expect(media.phone).toBeNull();
  expect(phone?.state.registered).toBe(false);
});
