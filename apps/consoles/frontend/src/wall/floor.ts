/** What the floor's topic brings, and how it is judged, filtered and written. No component, no document. */

import { language } from "$lib/i18n";
import { alarmWords } from "./alarm_words";

export type Level = "" | "amber" | "red";

export interface Queue {
  id: string;
  name: string;
  waiting: number;
  oldest_ms: number | null;
  service_level_ms: number;
  staffed: number;
  ready: number;
  ringing: number;
  talking: number;
  wrap_up: number;
  paused: number;
  /** Why it takes nobody: closed, holiday, emergency; empty when it is open. */
  closed?: string;
  /** What somebody who joins now may expect; null where nothing can be said. */
  expected_ms?: number | null;
  /** How far such estimates were off lately, and how far telling the last wait would have been. */
  expected_off_ms?: [ours: number, last: number] | null;
}

/** An agent's day up to `since_ms`; since then they are in `state`. */
export interface Work {
  id: string;
  signed_in_ms: number;
  handling_ms: number;
  ready_ms: number;
  state: string;
  since_ms: number;
}

export type OccupancyChoice = "login" | "available";

export interface Agent {
  id: string;
  name: string;
  state: string;
  reason: string;
  since_ms: number;
  next_state: string;
  next_reason?: string;
  call: string | null;
  number: string;
  direction?: string;
  queue?: string;
  queues: string[];
  skills?: string[];
  blocked?: string;
  /** On pause for longer than allowed. */
  pause_over?: boolean;
  held_ms?: number | null;
}

export interface Call {
  id: string;
  number: string;
  name: string;
  did: string;
  direction?: string;
  state: string;
  since_ms: number;
  started_ms: number;
  queue: string;
  agent: string;
  held_ms: number | null;
  recording: boolean;
}

/** A place in line that waits for a call back, by its call. */
export interface Callback {
  id: string;
  callback: string;
  number: string;
  name: string;
  queue: string;
  state: string;
  booked_ms: number;
  due_ms: number;
  until_ms: number;
  tried: number;
}

export interface Trunk {
  id: string;
  name: string;
  up: boolean | null;
  switch_up?: boolean | null;
  /** Why it is down, in the switch's words, and since when. */
  detail?: string;
  down_ms?: number | null;
  used?: number;
  max?: number | null;
}

export interface Alarm {
  id: string;
  kind: string;
  name: string;
  detail?: string;
  value: number | null;
  since_ms: number;
  critical: boolean;
  acked_by?: string;
  note?: string;
  /** How often it was raised in the last hour, this time included. */
  times?: number;
  shelved_until_ms?: number;
  shelved_by?: string;
  shelved_why?: string;
}

/** Alarms of one kind that stand together as one row of the list. */
export interface AlarmGroup {
  id: string;
  alarms: Alarm[];
}

export interface Share {
  value: number | null;
  met: number;
  of: number;
}

export interface Figures {
  id: string;
  formula: string;
  target: number;
  occupancy?: OccupancyChoice;
  threshold_ms?: number;
  offered: number;
  answered: number;
  abandoned: number;
  flowed_out: number;
  abandon_rate: number | null;
  sl: Share;
  sl30: Share;
  asa_ms: number | null;
  aht_ms: number | null;
  longest_wait_ms: number;
  handled: number;
  in_step?: boolean;
}

export interface Quarter {
  id: string;
  at_ms: number;
  offered: number;
  answered: number;
  abandoned: number;
  sl: Share;
}

/** Seconds after which a state's time is amber, then red. Pauses go by their allowance. */
const LIMITS_S: Record<string, readonly [number, number]> = {
  WRAP_UP: [60, 120],
  HOLDING: [60, 120],
  TALKING: [600, 1200],
  CONSULTING: [600, 1200],
  CONFERENCING: [600, 1200],
};
/** A pause without an allowance of its own. */
const PAUSE_S = 15 * 60;

export function agentLevel(agent: Agent, nowMs: number, allowedMin: Record<string, number | null> = {}): Level {
  if (agent.state === "NOT_RESPONDING" || agent.state === "DISCONNECTED") return "red";
  if (agent.state === "PAUSED" && agent.pause_over) return "red";
  const allowed = (allowedMin[agent.reason] ?? PAUSE_S / 60) * 60;
  const limits = agent.state === "PAUSED" ? ([allowed, allowed * 1.2] as const) : LIMITS_S[agent.state];
  if (!limits) return "";
  const seconds = (nowMs - agent.since_ms) / 1000;
  return seconds >= limits[1] ? "red" : seconds >= limits[0] ? "amber" : "";
}

/** Beyond the queue's T is amber, beyond three times that red. */
export function waitLevel(waitedMs: number, thresholdMs: number): Level {
  return waitedMs > thresholdMs * 3 ? "red" : waitedMs > thresholdMs ? "amber" : "";
}

export function slLevel(share: Share, target: number): Level {
  if (share.value === null || share.of === 0) return "";
  return share.value < target - 0.1 ? "red" : share.value < target ? "amber" : "";
}

export interface Filter {
  text: string;
  queue: string;
  state: string;
}

export const SIGNED_IN = "signed_in";

export function matches(agent: Agent, filter: Filter): boolean {
  if (filter.queue && !agent.queues.includes(filter.queue)) return false;
  if (filter.state === SIGNED_IN ? agent.state === "LOGGED_OUT" : filter.state && agent.state !== filter.state) return false;
  const wanted = filter.text.trim().toLowerCase();
  if (!wanted) return true;
  const texts = [agent.name, agent.number, ...agent.queues, ...(agent.skills ?? [])];
  return texts.some((text) => text.toLowerCase().includes(wanted));
}

/** The order in which somebody must look: trouble first, then who works, who rests, who is away. */
const RANK: Record<string, number> = {
  NOT_RESPONDING: 0, DISCONNECTED: 1, OFFERED: 2, TALKING: 3, HOLDING: 3, CONSULTING: 3, CONFERENCING: 3, DIALING: 3,
  WRAP_UP: 4, READY: 5, PAUSED: 6, LOGGED_OUT: 9,
};
export const stateRank = (agent: Agent) => RANK[agent.state] ?? 8;

const HANDLING = new Set(["DIALING", "TALKING", "HOLDING", "CONSULTING", "CONFERENCING", "WRAP_UP"]);
const AVAILABLE = new Set(["READY", "OFFERED"]);

/** Occupancy of these days together, by both definitions (`formulas/occupancy.py`); null where there was no time. */
export function occupancy(works: Work[], nowMs: number): Record<OccupancyChoice, number | null> {
  let [handling, ready, signedIn] = [0, 0, 0];
  for (const work of works) {
    const lasting = work.state === "LOGGED_OUT" ? 0 : Math.max(0, nowMs - work.since_ms);
    handling += work.handling_ms + (HANDLING.has(work.state) ? lasting : 0);
    ready += work.ready_ms + (AVAILABLE.has(work.state) ? lasting : 0);
    signedIn += work.signed_in_ms + lasting;
  }
  return { login: signedIn > 0 ? handling / signedIn : null, available: handling + ready > 0 ? handling / (handling + ready) : null };
}

export const percent = (value: number | null, digits = 0) => (value === null ? "–" : `${(value * 100).toFixed(digits)}%`);
export const seconds = (ms: number | null) => (ms === null ? "–" : ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`);

export function alarmText(alarm: Alarm): string {
  const value = alarm.value ?? 0;
  const values = { name: alarm.name || alarm.kind, kind: alarm.kind, detail: alarm.detail ?? "", value: Math.round(value), percent: percent(value) };
  const kind = alarm.kind;
  return (alarmWords.has(kind) ? alarmWords(kind, values) : alarmWords("other", values)).trim();
}

/** So many of one kind stand alone; with more, they are one row. */
const ALONE = 3;

/** What is to be shown, in order: many of a kind that nobody looks after yet are one row, where the first would stand. */
export function grouped(alarms: Alarm[]): AlarmGroup[] {
  const open = alarms.filter((alarm) => !alarm.shelved_until_ms).toSorted(alarmOrder);
  const ofKind = new Map<string, number>();
  for (const alarm of open) if (!alarm.acked_by) ofKind.set(alarm.kind, (ofKind.get(alarm.kind) ?? 0) + 1);
  const groups = new Map<string, AlarmGroup>();
  for (const alarm of open) {
    const many = !alarm.acked_by && (ofKind.get(alarm.kind) ?? 0) > ALONE;
    const id = many ? alarm.kind : alarm.id;
    const group = groups.get(id);
    if (group) group.alarms.push(alarm);
    else groups.set(id, { id, alarms: [alarm] });
  }
  return [...groups.values()];
}

export const shelved = (alarms: Alarm[]) => alarms.filter((alarm) => alarm.shelved_until_ms).toSorted((a, b) => (a.shelved_until_ms ?? 0) - (b.shelved_until_ms ?? 0));

/** Those that make a noise: critical, and nobody has said that they know. */
export const loud = (alarms: Alarm[]) => alarms.filter((alarm) => alarm.critical && !alarm.acked_by && !alarm.shelved_until_ms);

/** Not yet taken on first, critical before the rest, the oldest on top. */
export function alarmOrder(a: Alarm, b: Alarm): number {
  return Number(!!a.acked_by) - Number(!!b.acked_by) || Number(b.critical) - Number(a.critical) || a.since_ms - b.since_ms;
}


/** Hours and minutes on the tenant's clock, wherever the reader sits. */
export function hourIn(timeZone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
  return (ms) => format.format(ms);
}
