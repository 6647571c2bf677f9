import { expect, test } from "vitest";
import { pauseLeft } from "./pause";

const MIN = 60_000;
const began = { since_ms: 1_000, used_ms: 0, each_ms: 15 * MIN, day_ms: 30 * MIN, over: false };

test("a pause ends with its own limit, or with what the day has left", () => {
  expect(pauseLeft(began, 1_000 + MIN)).toEqual({ leftMs: 14 * MIN, limitMs: 15 * MIN, over: false });
  expect(pauseLeft({ ...began, used_ms: 20 * MIN }, 1_000 + MIN)).toEqual({ leftMs: 9 * MIN, limitMs: 30 * MIN, over: false });
  expect(pauseLeft({ ...began, each_ms: null }, 1_000)?.leftMs).toBe(30 * MIN);
});

test("it is over when the time is up or the engine says so, and tells by how much", () => {
  expect(pauseLeft(began, 1_000 + 17 * MIN)).toEqual({ leftMs: -2 * MIN, limitMs: 15 * MIN, over: true });
  expect(pauseLeft({ ...began, over: true }, 1_000)?.over).toBe(true);
  expect(pauseLeft({ ...began, day_ms: null, each_ms: null }, 1_000)).toBeNull();
  expect(pauseLeft(null, 1_000)).toBeNull();
});
