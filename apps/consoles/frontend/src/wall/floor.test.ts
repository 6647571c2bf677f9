import { describe, expect, it } from "vitest";
import { type Agent, type Alarm, agentLevel, alarmOrder, alarmText, grouped, loud, matches, occupancy, slLevel, waitLevel } from "./floor";
import { alarmWords } from "./alarm_words";
import { callWords, w } from "./words";

const NOW = 1_790_000_000_000;
const agent = (fields: Partial<Agent>): Agent => ({
  id: "1", name: "王芳", state: "READY", reason: "", since_ms: NOW, next_state: "", call: null, number: "", queues: ["客服"], skills: ["lang:zh"], ...fields,
});
const after = (state: string, seconds: number, reason = "") => agentLevel(agent({ state, reason, since_ms: NOW - seconds * 1000 }), NOW, { lunch: 30 });

describe("limits of what is still well", () => {
  it.each([
    ["WRAP_UP", 59, ""], ["WRAP_UP", 60, "amber"], ["WRAP_UP", 120, "red"], ["HOLDING", 60, "amber"], ["TALKING", 599, ""],
    ["TALKING", 600, "amber"], ["TALKING", 1200, "red"], ["READY", 9999, ""], ["LOGGED_OUT", 9999, ""], ["NOT_RESPONDING", 0, "red"],
  ])("%s after %d s is %s", (state, seconds, level) => expect(after(state, seconds)).toBe(level));

  it("pauses go by the allowance of their reason", () => {
    expect([after("PAUSED", 1799, "lunch"), after("PAUSED", 1800, "lunch"), after("PAUSED", 2160, "lunch")]).toEqual(["", "amber", "red"]);
    expect([after("PAUSED", 899), after("PAUSED", 900)]).toEqual(["", "amber"]);
  });

  it("waits go by T, service level by its target", () => {
    expect([waitLevel(20_000, 20_000), waitLevel(20_001, 20_000), waitLevel(60_001, 20_000)]).toEqual(["", "amber", "red"]);
    expect(slLevel({ value: null, met: 0, of: 0 }, 0.8)).toBe("");
    expect([0.8, 0.79, 0.69].map((value) => slLevel({ value, met: 1, of: 9 }, 0.8))).toEqual(["", "amber", "red"]);
  });
});

describe("filter", () => {
  const all = { text: "", queue: "", state: "" };
  it("finds by name, queue and skill", () => {
    for (const text of ["王", "客服", "LANG", ""]) expect(matches(agent({}), { ...all, text })).toBe(true);
    expect(matches(agent({}), { ...all, text: "x" })).toBe(false);
    expect(matches(agent({}), { ...all, queue: "技术" })).toBe(false);
    expect(matches(agent({ state: "LOGGED_OUT" }), { ...all, state: "signed_in" })).toBe(false);
    expect(matches(agent({}), { ...all, state: "READY" })).toBe(true);
  });
});

describe("alarms", () => {
  const alarm = (fields: Partial<Alarm>): Alarm => ({ id: "x", kind: "sl30", name: "客服", value: 0.613, since_ms: NOW, critical: false, ...fields });
  it("say what is wrong with its figure", () => {
    expect(alarmText(alarm({}))).toContain("61%");
    expect(alarmText(alarm({ kind: "brand_new", detail: "d" }))).toContain("brand_new");
  });
  it("put first what nobody looks after", () => {
    const all = [alarm({ id: "acked", acked_by: "王", critical: true }), alarm({ id: "late" }), alarm({ id: "critical", critical: true, since_ms: NOW + 9 })];
    expect(all.toSorted(alarmOrder).map((item) => item.id)).toEqual(["critical", "late", "acked"]);
  });
});

describe("words", () => {
  it("have the same {names} in both languages", () => {
    const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
    for (const words of [w, alarmWords, callWords]) {
      for (const key of Object.keys(words.en)) expect(names((words.zh as Record<string, string>)[key] ?? ""), key).toEqual(names((words.en as Record<string, string>)[key] ?? ""));
    }
  });
});

describe("occupancy, as apps/reports/formulas/occupancy.py has it", () => {
  const MIN = 60_000;
  const day = { id: "1", signed_in_ms: 480 * MIN, handling_ms: 360 * MIN, ready_ms: 60 * MIN, state: "LOGGED_OUT", since_ms: 0 };

  it("divides by the time signed in, or by handling and ready", () => {
    const found = occupancy([day], NOW);
    expect(found.login).toBe(0.75);
    expect(found.available).toBeCloseTo(0.857, 3);
  });
  it("adds the stretch that goes on to where it belongs", () => {
    const from = { ...day, signed_in_ms: 0, handling_ms: 0, ready_ms: 0, since_ms: NOW - 10 * MIN };
    expect(occupancy([{ ...from, state: "TALKING" }], NOW)).toEqual({ login: 1, available: 1 });
    expect(occupancy([{ ...from, state: "READY" }], NOW)).toEqual({ login: 0, available: 0 });
    expect(occupancy([{ ...from, state: "PAUSED" }], NOW)).toEqual({ login: 0, available: null });
    expect(occupancy([{ ...from, state: "TALKING" }, { ...from, state: "PAUSED" }], NOW).login).toBe(0.5);
  });
  it("says nothing of who was not there", () => expect(occupancy([], NOW)).toEqual({ login: null, available: null }));
});

describe("the list of alarms", () => {
  const alarm = (id: string, fields: Partial<Alarm> = {}): Alarm => ({ id, kind: "missed", name: id, value: 3, since_ms: NOW, critical: false, ...fields });
  const four = ["a", "b", "c", "d"].map((id) => alarm(id));

  it("is one row for many of a kind, and leaves alone what somebody looks after", () => {
    expect(grouped(four).map((group) => group.alarms.length)).toEqual([4]);
    expect(grouped(four.slice(1)).map((group) => group.id)).toEqual(["b", "c", "d"]);
    const taken = grouped([...four, alarm("e", { acked_by: "王芳" }), alarm("f", { kind: "engine", critical: true })]);
    expect(taken.map((group) => group.id)).toEqual(["f", "missed", "e"]);
  });
  it("has no row and no noise for what was put aside", () => {
    const critical = alarm("x", { kind: "trunk_down", critical: true });
    expect(loud([critical, ...four])).toEqual([critical]);
    const aside = { ...critical, shelved_until_ms: NOW + 1 };
    expect([grouped([aside]), loud([aside]), loud([{ ...critical, acked_by: "王芳" }])]).toEqual([[], [], []]);
  });
});
