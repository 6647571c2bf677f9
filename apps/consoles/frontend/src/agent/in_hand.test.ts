import { expect, test } from "vitest";
import { withOwnTimes } from "./in_hand.svelte";
import type { Call } from "./model";

const told = (times: Partial<Call>): Call => ({ id: "c1", queued_ms: null, talking_ms: null, ...times }) as Call;

test("a call that is talked on has lost since when it waited; the page has not", () => {
  const rang = told({ queued_ms: 10 });
  const talks = withOwnTimes(told({ talking_ms: 20 }), rang, "TALKING");
  expect([talks.queued_ms, talks.talking_ms]).toEqual([10, 20]);
});

test("the talk goes on since it began, by whatever telephone or bridge", () => {
  const last = told({ queued_ms: 10, talking_ms: 20 });
  expect(withOwnTimes(told({ talking_ms: 90 }), last, "TALKING").talking_ms).toBe(20);
  expect(withOwnTimes(told({}), last, "WRAP_UP").talking_ms).toBe(20);
});

test("a call that comes back begins anew, and so does another call", () => {
  const last = told({ queued_ms: 10, talking_ms: 20 });
  expect(withOwnTimes(told({ queued_ms: 70 }), last, "OFFERED")).toEqual(told({ queued_ms: 70 }));
  expect(withOwnTimes(told({ id: "c2", talking_ms: 80 }), last, "TALKING").queued_ms).toBeNull();
});
