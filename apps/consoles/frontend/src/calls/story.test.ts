import { describe, expect, it } from "vitest";
import { type Story, draw, events, ticks, why } from "./story";
import { c, portWord, portWords, ruleWords, storedWords } from "./words";

const T0 = 1_790_000_000_000;
const story: Story = {
  time_zone: "Asia/Shanghai",
  call: { id: "c1", number: "138", name: "", did: "400", direction: "inbound", outcome: "served", cause: "normal", started_ms: T0, answered_ms: T0, connected_ms: T0 + 17_000, ended_ms: T0 + 80_000, queue: "Q", agent: "A", trunk: "", wait_ms: 12_000, talk_ms: 60_000, hold_ms: 0, wrap_up_ms: 20_000 },
  segments: [
    { kind: "ivr", queue: "", agent: "", started_ms: T0, ended_ms: T0 + 5_000, outcome: "queued", detail: "" },
    { kind: "queue", queue: "Q", agent: "", started_ms: T0 + 5_000, ended_ms: T0 + 17_000, outcome: "answered", detail: "" },
    { kind: "talk", queue: "Q", agent: "A", started_ms: T0 + 17_000, ended_ms: T0 + 80_000, outcome: "ended", detail: "" },
  ],
  steps: [{ at_ms: T0 + 2_000, node: "menu", title: "Language", type: "menu", port: "1", digits: "1" }],
  offers: [{ at_ms: T0 + 6_000, ended_ms: T0 + 8_000, agent: "B", queue: "Q", rule: "longest_idle", ready_agents: 3, waiting_calls: 2, idle_since_ms: T0 - 60_000, outcome: "no_answer", cause: "", why: ["Required: network ≥ 4."] }],
  legs: [{ id: "l1", role: "customer", agent: "", address: "138", started_ms: T0, rang_ms: null, answered_ms: T0, ended_ms: T0 + 80_000, cause: "normal", raw_cause: "" }],
  wrap_ups: [{ at_ms: T0 + 100_000, agent: "A", disposition: "done", note: "n", wrap_up_ms: 20_000 }],
  attached: {}, marks: [{ at_ms: T0 + 50_000 }], recordings: [], dispositions: { done: "Solved" },
};

describe("a call over time", () => {
  it("runs to the end of the wrap-up and leaves no gap", () => {
    const drawing = draw(story, T0 + 200_000);
    expect(drawing.endMs).toBe(T0 + 100_000);
    const blocks = drawing.lanes[0]?.blocks ?? [];
    expect(blocks.map((block) => [block.from, block.to])).toEqual([[0, 0.05], [0.05, 0.17], [0.17, 0.8]]);
    expect(drawing.lanes[0]?.marks[0]).toMatchObject({ at: 0.02, label: "1" });
    expect(drawing.lanes.map((lane) => lane.id)).toEqual(["caller", "offers", "wrap"]);
  });

  it("goes on to now while the call is live", () => {
    const live = { ...story, call: { ...story.call, ended_ms: null }, wrap_ups: [], segments: [{ ...story.segments[2]!, ended_ms: null }], legs: [] };
    const drawing = draw(live, T0 + 34_000);
    expect(drawing.endMs).toBe(T0 + 34_000);
    expect(drawing.lanes[0]?.blocks[0]).toMatchObject({ from: 0.5, to: 1 });
  });

  it("shows two legs at the same time below one another", () => {
    const leg = (id: string, from: number, to: number) => ({ ...story.legs[0]!, id, role: "agent", agent: id, started_ms: T0 + from, ended_ms: T0 + to });
    const { lanes } = draw({ ...story, legs: [leg("l2", 5_000, 50_000), leg("l3", 20_000, 80_000), leg("l4", 60_000, 70_000)] }, T0 + 200_000);
    const legs = lanes.filter((lane) => lane.id.startsWith("legs"));
    expect(legs.map((lane) => lane.blocks.map((block) => block.id))).toEqual([["l2", "l4"], ["l3"]]);
    expect(legs.map((lane) => lane.label)).toEqual([c("lane_legs"), ""]);
  });

  it.each([1_000, 59_000, 600_000, 7_200_000, 400_000_000])("has a few round ticks for %d ms", (length) => {
    const found = ticks(length);
    expect(found.length).toBeLessThanOrEqual(9);
    expect(found.every((tick) => tick.at >= 0 && tick.at <= 1)).toBe(true);
  });

  it("tells everything in order, with why an agent was chosen", () => {
    const told = events(story);
    expect(told.map((item) => item.kind)).toEqual(["ivr", "step", "queue", "offer", "talk", "step", "wrap"]);
    expect(told[3]?.detail).toMatch(/3.*2.*1:06/);
    expect(told[3]?.why).toEqual(["Required: network ≥ 4."]);
    expect(told[6]?.title).toContain("Solved");
  });
});

describe("where a menu's step led", () => {
  it("is said in words, and a key once", () => {
    const steps = [
      { at_ms: T0 + 1_000, node: "hours", title: "", type: "hours", port: "holiday", digits: "" },
      { at_ms: T0 + 2_000, node: "menu", title: "", type: "menu", port: "key:2", digits: "2" },
    ];
    expect(events({ ...story, segments: [], offers: [], marks: [], wrap_ups: [], steps }).map((item) => item.detail)).toEqual(["→ 节假日", "按键 2"]);
    expect([portWord("ok"), portWord("key:5")]).toEqual(["继续", "按键 5"]);
  });
});

describe("how an agent was chosen", () => {
  it("is said in words, also by a rule that this page does not know", () => {
    for (const rule of Object.keys(ruleWords.en)) expect(why({ ...story.offers[0]!, rule })).not.toContain(rule);
    expect(why({ ...story.offers[0]!, rule: "new_rule" })).toContain("new_rule");
  });
});

describe("words", () => {
  it("have the same {names} in both languages", () => {
    const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
    for (const words of [c, storedWords, portWords, ruleWords]) {
      for (const key of Object.keys(words.en)) expect(names((words.zh as Record<string, string>)[key] ?? ""), key).toEqual(names((words.en as Record<string, string>)[key] ?? ""));
    }
  });
});
