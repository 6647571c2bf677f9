import { expect, test } from "vitest";
import { actionsOf, clashes, keyOf, merged, usable } from "./keys";
import { callerText, clock, fill, size } from "./text";

const key = (name: string, more: Partial<KeyboardEvent> = {}) =>
  keyOf({ key: name, ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, isComposing: false, ...more });

test("clocks", () => {
  expect([0, 999, 61_000, 3_600_000, 36_061_000, -5].map(clock)).toEqual(["0:00", "0:00", "1:01", "1:00:00", "10:01:01", "0:00"]);
});

test("texts are filled by name and only by own names", () => {
  expect(fill("{n} s {toString} {gone}", { n: 3 })).toBe("3 s {toString} {gone}");
});

test("a caller's text is cut by letters, not by code units", () => {
  expect(callerText("", "withheld")).toBe("withheld");
  expect(callerText("𠮷".repeat(65))).toBe(`${"𠮷".repeat(64)}…`);
});

test("sizes", () => {
  expect([0, 999, 4_200_000].map(size)).toEqual(["0 B", "999 B", "4.2 MB"]);
});

test("keys are named, and none is taken while composing or with Alt", () => {
  expect(key("F2", { ctrlKey: true })).toBe("Ctrl+F2");
  expect(key("k", { ctrlKey: true })).toBe("Ctrl+K");
  expect(key("F2", { isComposing: true })).toBe("");
  expect(key("F2", { altKey: true })).toBe("");
  expect(key("Shift", { shiftKey: true })).toBe("");
});

test("only keys that are no typing can be chosen", () => {
  expect(["F2", "Shift+F9", "Ctrl+K", "Ctrl+Enter"].every(usable)).toBe(true);
  expect(["a", "Enter", "Shift+A", "Ctrl+C", "Ctrl+W", "Escape", ""].some(usable)).toBe(false);
});

test("a stored choice is made whole", () => {
  const defaults = { answer: "F2", hold: "F4", extend: "F4" };
  expect(merged(defaults, { answer: "F3", hold: "x", other: "F5" })).toEqual({ ...defaults, answer: "F3" });
  expect(merged(defaults, "junk")).toEqual(defaults);
  expect(clashes(defaults, [["hold", "extend"]])).toEqual([]);
  expect(clashes({ ...defaults, answer: "F4" }, [["hold", "extend"]])).toEqual(["answer", "hold", "extend"]);
  expect(actionsOf(defaults, "F4")).toEqual(["hold", "extend"]);
});
