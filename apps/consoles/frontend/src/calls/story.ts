/** One call as blocks over time and as a list of what happened. No component, no document. */

import { type Worded, worded } from "$lib/i18n";
import { clock } from "$lib/text";
import { c, portWord, ruleWord, word } from "./words";

export interface CallRow {
  id: string;
  number: string;
  name: string;
  did: string;
  direction: string;
  /** Empty while it goes on; `lost` without an end: nobody recorded it. */
  outcome: string;
  cause: string;
  started_ms: number;
  answered_ms: number | null;
  connected_ms: number | null;
  ended_ms: number | null;
  queue: string;
  agent: string;
  trunk: string;
  wait_ms: number;
  talk_ms: number;
  hold_ms: number;
  wrap_up_ms: number;
}
export interface Segment { kind: string; queue: string; agent: string; started_ms: number; ended_ms: number | null; outcome: string; detail: string; other?: string }
export interface Step { at_ms: number; node: string; title: Worded; type: string; port: string; digits: string }
export interface Offer { at_ms: number; ended_ms: number | null; agent: string; queue: string; rule: string; ready_agents: number; waiting_calls: number; idle_since_ms: number | null; outcome: string; cause: string; /** In sentences, in the reader's language. */ why: string[] }
export interface Leg { id: string; role: string; agent: string; address: string; started_ms: number; rang_ms: number | null; answered_ms: number | null; ended_ms: number | null; cause: string; raw_cause: string }
export interface WrapUp { at_ms: number; agent: string; disposition: string; note: string; wrap_up_ms: number }
export interface Recording { id: string; status: string; reason: string; path: string; here: boolean; started_ms: number; ended_ms: number | null; duration_ms: number | null; heard: { who: string; at_ms: number }[] }
export interface Story {
  time_zone: string;
  call: CallRow;
  segments: Segment[];
  steps: Step[];
  offers: Offer[];
  legs: Leg[];
  wrap_ups: WrapUp[];
  attached: Record<string, string>;
  /** Where an agent wants somebody to listen. */
  marks: { at_ms: number }[];
  recordings: Recording[] | null;
  dispositions: Record<string, string>;
  /** Null: not for this reader. `chosen`: somebody said whose call it was; otherwise everybody who has the number. */
  customers?: { chosen: boolean; found: { id: number; name: string }[] } | null;
}

export interface Block { id: string; kind: string; label: string; title: string; from: number; to: number }
export interface Mark { id: string; at: number; label: string; title: string }
export interface Lane { id: string; label: string; blocks: Block[]; marks: Mark[] }
export interface Drawing { startMs: number; endMs: number; lanes: Lane[]; ticks: { at: number; label: string }[] }

/** Positions are shares of the whole, 0 to 1. `nowMs` ends what goes on. */
export function draw(story: Story, nowMs: number): Drawing {
  const startMs = story.call.started_ms;
  const ends = [
    story.call.ended_ms ?? (story.call.outcome === "lost" ? 0 : nowMs),
    ...story.segments.map((item) => item.ended_ms ?? 0),
    ...story.legs.map((item) => item.ended_ms ?? 0),
    ...story.wrap_ups.map((item) => item.at_ms),
  ];
  const endMs = Math.max(startMs + 1000, ...ends);
  const place = (ms: number | null) => Math.min(1, Math.max(0, ((ms ?? endMs) - startMs) / (endMs - startMs)));
  const block = (id: string, kind: string, label: string, from: number, to: number | null, more = ""): Block => ({
    id, kind, label, from: place(from), to: place(to), title: [label, clock((to ?? endMs) - from), more].filter(Boolean).join(" · "),
  });
  const lanes: Lane[] = [
    {
      id: "caller", label: c("lane_caller"),
      blocks: story.segments.map((item, at) => block(`s${at}`, item.kind, [word(item.kind), withWhom(item) || item.queue].filter(Boolean).join(" "), item.started_ms, item.ended_ms, item.outcome && `→ ${word(item.outcome)}`)),
      marks: story.steps.filter((item) => item.digits).map((item, at) => ({ id: `k${at}`, at: place(item.at_ms), label: item.digits, title: [worded(item.title) || item.node, c("key", { digits: item.digits })].join(" · ") })),
    },
    {
      id: "offers", label: c("lane_offers"), marks: [],
      blocks: story.offers.map((item, at) => block(`o${at}`, item.outcome === "answered" ? "offer" : "offer-lost", item.agent, item.at_ms, item.ended_ms, [item.outcome && `→ ${word(item.outcome)}`, why(item)].filter(Boolean).join(" · "))),
    },
    {
      id: "legs", label: c("lane_legs"), marks: [],
      blocks: story.legs.filter((item) => item.role !== "customer").map((item) => block(item.id, item.answered_ms ? "leg" : "leg-unanswered", item.agent || item.address, item.started_ms, item.ended_ms, word(item.cause))),
    },
    {
      id: "recording", label: c("lane_recording"), marks: [],
      blocks: (story.recordings ?? []).map((item) => block(item.id, item.status === "broken" ? "recording-broken" : "recording", word(item.status), item.started_ms, item.ended_ms)),
    },
    {
      id: "wrap", label: c("lane_wrap"), marks: story.marks.map((item, at) => ({ id: `q${at}`, at: place(item.at_ms), label: "★", title: c("marked") })),
      blocks: story.wrap_ups.map((item, at) => block(`w${at}`, "wrap", item.agent, item.at_ms - item.wrap_up_ms, item.at_ms)),
    },
  ];
  const shown = lanes.filter((lane) => lane.id === "caller" || lane.blocks.length).flatMap(sideBySide);
  return { startMs, endMs, lanes: shown, ticks: ticks(endMs - startMs) };
}

/** Blocks at the same time stand below one another: nobody's leg is hidden by that of who was asked. */
function sideBySide(lane: Lane): Lane[] {
  const rows: Block[][] = [[]];
  for (const block of lane.blocks) {
    const free = rows.find((row) => row.every((other) => other.to <= block.from || other.from >= block.to));
    if (free) free.push(block);
    else rows.push([block]);
  }
  return rows.map((blocks, at) => ({ id: at ? `${lane.id}-${at}` : lane.id, label: at ? "" : lane.label, blocks, marks: at ? [] : lane.marks }));
}

/** Round times along the axis, at most eight. */
export function ticks(lengthMs: number): { at: number; label: string }[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400].map((second) => second * 1000);
  const step = steps.find((item) => lengthMs / item <= 8) ?? Math.ceil(lengthMs / 8);
  return Array.from({ length: Math.floor(lengthMs / step) + 1 }, (_, index) => ({ at: (index * step) / lengthMs, label: clock(index * step) }));
}

export function why(offer: Offer): string {
  const rule = ruleWord(offer.rule);
  const idle = offer.idle_since_ms === null ? "" : c("idle_for", { time: clock(offer.at_ms - offer.idle_since_ms) });
  return [c("offer_why", { rule, ready: offer.ready_agents, waiting: offer.waiting_calls }), idle].filter(Boolean).join(" · ");
}

/** The agent, and in a consult or a three-way who else. */
function withWhom(item: Segment): string {
  return [item.agent, item.other].filter(Boolean).join(" + ");
}

export interface Event { at_ms: number; kind: string; title: string; detail: string; lasted_ms: number | null; note: string; why?: string[] }

/** Everything in order, for reading and for screen readers. */
export function events(story: Story): Event[] {
  const list: Event[] = [
    ...story.segments.map((item) => ({
      at_ms: item.started_ms, kind: item.kind, title: [word(item.kind), item.queue, withWhom(item)].filter(Boolean).join(" · "),
      detail: item.outcome ? `→ ${word(item.outcome)}` : "", lasted_ms: item.ended_ms === null ? null : item.ended_ms - item.started_ms, note: "",
    })),
    ...story.steps.filter((item) => item.digits || item.port).map((item) => ({
      at_ms: item.at_ms, kind: "step", title: c("step", { title: worded(item.title) || item.node }), detail: item.digits ? c(item.digits.length > 1 && item.digits !== "***" ? "keys" : "key", { digits: item.digits }) : `→ ${portWord(item.port)}`, lasted_ms: null, note: "",
    })),
    ...story.marks.map((item) => ({ at_ms: item.at_ms, kind: "step", title: c("marked"), detail: "", lasted_ms: null, note: "" })),
    ...story.offers.map((item) => ({
      at_ms: item.at_ms, kind: "offer", title: c("offer", { agent: item.agent || "–" }), detail: [item.outcome && `→ ${word(item.outcome)}`, why(item)].filter(Boolean).join(" · "),
      lasted_ms: item.ended_ms === null ? null : item.ended_ms - item.at_ms, note: "", why: item.why,
    })),
    ...story.wrap_ups.map((item) => ({
      at_ms: item.at_ms, kind: "wrap", title: c("disposition", { name: item.disposition === "UNSET" ? c("unset") : (story.dispositions[item.disposition] ?? item.disposition) }), detail: item.agent, lasted_ms: item.wrap_up_ms, note: item.note,
    })),
  ];
  return list.toSorted((a, b) => a.at_ms - b.at_ms);
}
