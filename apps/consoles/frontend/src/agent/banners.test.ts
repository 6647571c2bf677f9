import { expect, test } from "vitest";
import { SHOWN_BY, toReady } from "./actions";
import { type Trouble, banners } from "./banners";
import { type Me, dialable } from "./model";

const calm: Trouble = {
  closed: 0, connected: true, engine: { reachable: true, loaded: true }, stale: false, ageSeconds: 0, browserPhone: true,
  place: "owner", microphone: "live", rejoining: false, phoneLost: false, signedIn: true, suspended: false, pauseOver: false, line: "", masked: false, recordingFailed: false, quality: "", qualityBad: false,
};
const codes = (change: Partial<Trouble>) => banners({ ...calm, ...change }).map((banner) => banner.code);

test("nothing is said when nothing is wrong", () => expect(codes({})).toEqual([]));

test("one banner for each cause, the line first", () => {
  expect(codes({ connected: false })).toEqual(["E08"]);
  expect(codes({ connected: false, stale: true, ageSeconds: 7 })).toEqual(["E08", "E25"]);
  expect(codes({ engine: { reachable: false, loaded: true }, stale: true })).toEqual(["E13", "E25"]);
  expect(codes({ stale: true })).toEqual(["E25"]);
  expect(codes({ closed: 4401, microphone: "refused" })).toEqual(["signed_off", "E01"]);
  expect(codes({ closed: 4403 })[0]).toBe("not_permitted_here");
});

test("what is wrong with the talk at hand", () => {
  expect(codes({ rejoining: true })).toEqual(["E09"]);
  expect(codes({ recordingFailed: true, masked: true })).toEqual(["E22", "E21"]);
});

test("the phone's troubles are the owner's, and only while signed in", () => {
  expect(codes({ microphone: "refused" })).toEqual(["E01"]);
  expect(codes({ microphone: "missing", phoneLost: true })).toEqual(["E02", "E14"]);
  expect(codes({ place: "other_tab", microphone: "missing" })).toEqual(["E06"]);
  expect(codes({ place: "moved" })).toEqual(["E05"]);
  expect(codes({ signedIn: false, microphone: "missing" })).toEqual([]);
  expect(codes({ browserPhone: false, microphone: "missing", phoneLost: true })).toEqual(["E14"]);
});

test("who cannot be rung learns it, unless the reason is said already", () => {
  expect(codes({ suspended: true })).toEqual(["banner_suspended"]);
  expect(codes({ suspended: true, phoneLost: true })).toEqual(["E14"]);
  expect(codes({ suspended: true, signedIn: false })).toEqual([]);
});

test("a line that is not there and a pause that lasts are said to who is signed in", () => {
  expect(codes({ line: "dialing" })).toEqual(["banner_line_dialing"]);
  expect(codes({ line: "gone", pauseOver: true })).toEqual(["banner_line_gone", "banner_pause_over"]);
  expect(codes({ line: "gone", pauseOver: true, signedIn: false })).toEqual([]);
});

test("quality and a paused recording are said beside the rest", () => {
  expect(codes({ quality: "loss", masked: true })).toEqual(["E23", "E21"]);
});

test("a number is what can be dialled, whatever it was wrapped in", () => {
  expect(dialable(" (021) 5555-0100 ")).toBe("02155550100");
  expect(dialable("+86 138 0013 8000")).toBe("+8613800138000");
  expect(dialable("１３８")).toBe("138");
  expect(["", "call me", "138a", "+", "1".repeat(40)].map(dialable)).toEqual(["", "", "", "", ""]);
});

const me = (state: string, next_state = "") => ({ state, next_state }) as Me;

test("ready and pause undo each other", () => {
  expect([me("PAUSED"), me("READY"), me("TALKING"), me("TALKING", "PAUSED"), me("NOT_RESPONDING")].map(toReady)).toEqual([true, false, false, true, true]);
});

test("a command counts as done when the state shows it", () => {
  const shown = (state: string, next = "") => ({ me: me(state, next), call: undefined });
  expect(SHOWN_BY.hold?.(shown("TALKING"), shown("TALKING"))).toBe(false);
  expect(SHOWN_BY.hold?.(shown("HOLDING"), shown("TALKING"))).toBe(true);
  expect(SHOWN_BY.pause?.(shown("TALKING", "PAUSED"), shown("TALKING"))).toBe(true);
  expect(SHOWN_BY.pause?.(shown("TALKING"), shown("TALKING"))).toBe(false);
});
