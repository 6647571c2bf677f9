import { expect, test } from "vitest";
import { best } from "./devices";
import { type Sample, Watch, causes, mos, sampleOf } from "./quality";
import { GAP_MS, PAUSE_MS, scriptFor, timed } from "./voices";

const good: Sample = { rtt: 40, jitter: 5, loss: 0 };
const bad: Sample = { rtt: 500, jitter: 60, loss: 8 };
const line = (who: "caller" | "agent", ms: number) => ({ who, ms, url: `${who}${ms}` });

test("a good line scores above 4, a bad one below 3", () => {
  expect(mos(good)).toBeGreaterThan(4.3);
  expect(mos({ rtt: 200, jitter: 20, loss: 2 })).toBeLessThan(4.3);
  expect(mos({ rtt: 400, jitter: 50, loss: 15 })).toBeLessThan(3);
  expect(mos({ rtt: 5_000, jitter: 500, loss: 100 })).toBe(1);
});

test("a cause is raised at three bad seconds of five and cleared at none", () => {
  const watch = new Watch();
  const raised = [bad, bad, good, bad, good, good, good, good, good].map((sample) => watch.add(sample).causes.includes("loss"));
  expect(raised).toEqual([false, false, false, true, true, true, true, true, false]);
  expect(causes({ ...bad, mos: 1 })).toEqual(["loss", "jitter", "rtt"]);
});

test("a second's sample is the difference of the counters", () => {
  const report: [string, Record<string, unknown>][] = [
    ["a", { type: "inbound-rtp", kind: "audio", packetsReceived: 145, packetsLost: 5, jitter: 0.012 }],
    ["b", { type: "inbound-rtp", kind: "video", packetsReceived: 900 }],
    ["c", { type: "remote-inbound-rtp", kind: "audio", roundTripTime: 0.08 }],
  ];
  const { sample, counters } = sampleOf(report, { received: 100, lost: 0 });
  expect(sample).toEqual({ rtt: 80, jitter: 12, loss: 10 });
  expect(counters).toEqual({ received: 145, lost: 5 });
  expect(sampleOf(report, counters).sample.loss).toBe(0);
});

test("the remembered device that is there wins over the first one", () => {
  expect(best([{ deviceId: "a" }, { deviceId: "b" }], ["gone", "b"])).toBe("b");
  expect(best([{ deviceId: "a" }], ["gone"])).toBe("a");
  expect(best([], ["gone"])).toBe("");
});

test("a caller's script depends on the number alone and is told line after line", () => {
  const scripts = [[line("caller", 1_000), line("agent", 500)], [line("caller", 2_000)]];
  expect(scriptFor(scripts, "13800138001")).toBe(scripts[1]);
  expect(scriptFor(scripts, "+86 138-0013 800x")).toBe(scripts[0]);
  expect(scriptFor(scripts, "")).toBe(scripts[0]);
  expect(scriptFor([], "1")).toEqual([]);
  expect(timed(scripts[0] ?? [])).toEqual({ starts: [0, 1_000 + GAP_MS], totalMs: 1_500 + 2 * GAP_MS + PAUSE_MS });
});
