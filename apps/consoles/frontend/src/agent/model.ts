/** What the agent's page is told: docs/live-protocol.md section 5 and the page's own data (apps/consoles/agent_page.py). */

import type { Worded } from "$lib/i18n";

export interface Me {
  id: string;
  name: string;
  state: string;
  reason: string;
  since_ms: number;
  next_state: string;
  next_reason: string;
  deadline_ms: number | null;
  extensions_left?: number;
  call: string | null;
  controls: string[];
  /** False: this wrap-up may end without a result. */
  disposition_required?: boolean;
  /** The pause at hand and how long it may last; `used_ms` is what the day had before. */
  pause?: { since_ms: number; used_ms: number; each_ms: number | null; day_ms: number | null; over: boolean } | null;
  /** Calls in a row that rang unanswered; at the limit there come no more. */
  missed?: number;
  /** How the latest offer ended (`OfferOutcome`). */
  offer_end?: string;
  missed_limit?: number;
  /** Kept open between calls; "" where it is not. */
  line?: "open" | "dialing" | "closed" | "";
  /** Help was asked for and has not come. */
  help?: boolean;
  device: "browser" | "sip" | "pstn" | "";
  address: string;
  registered: boolean | null;
  switch_up: boolean | null;
  media_ready?: boolean;
  media_epoch?: number;
  media_page?: string;
  blocked?: string;
  caller_ids?: string[];
  last_dial?: { call: string; number: string; outcome: string; cause: string; at_ms: number } | null;
}

/** A consult or a three-way, as this agent sees it. */
export interface Company {
  /** This agent asked; else they were asked. */
  mine: boolean;
  kind: "queue" | "agent" | "extension" | "number";
  name: string;
  aim: "seek" | "consult" | "customer" | "complete" | "merge" | "return" | "three_way";
  ended: string;
  detail: string;
  customer_gone: boolean;
}

export interface Call {
  id: string;
  version: number;
  state: string;
  direction?: "inbound" | "outbound";
  number: string;
  name: string;
  did: string;
  trunk?: string;
  queue: string;
  lang: string;
  started_ms: number;
  queued_ms: number | null;
  offered_ms?: number | null;
  acknowledged?: boolean;
  offer_deadline_ms: number | null;
  ring_timeout_ms: number | null;
  auto_answer?: boolean;
  /** Since when this agent has somebody on the line, whoever it was in between; null in wrap-up. */
  talking_ms: number | null;
  /** Since when with the customer. */
  bridged_ms: number | null;
  held_ms: number | null;
  hold_total_ms?: number;
  muted?: boolean;
  company?: Company | null;
  /** Music until the agent's telephone is called back, at the latest then. */
  rejoin_until_ms?: number | null;
  recording: boolean;
  /** It should be recorded and is not. */
  recording_failed?: boolean;
  masked_ms?: number | null;
  mask_until_ms?: number | null;
  dial?: { phase: "device" | "number"; ringing: boolean } | null;
  /** Who did not stay on the line, and is called in turn. */
  callback?: { number: string; tried: number; booked_ms: number } | null;
  attached?: Record<string, string>;
  customer?: string;
  path?: { node: string; title: Worded; digits: string; at_ms: number }[];
  transferred_by?: string;
  transfer_note?: string;
  draft?: string;
  draft_disposition?: string;
}

export interface Choice {
  code: string;
  name: string;
}

export interface PauseReason extends Choice {
  allowed_min: number | null;
}

/** One that others name as their parent is a heading: it cannot be chosen. */
export interface Disposition extends Choice {
  parent: string | null;
}

/** `json_script` of the template. */
export interface PageData {
  agent: string;
  name: string;
  dispositions: Disposition[];
  pause_reasons: PauseReason[];
}

export const IN_CALL = new Set(["DIALING", "TALKING", "HOLDING", "CONSULTING", "CONFERENCING"]);
export const WITH_CALL = new Set([...IN_CALL, "OFFERED", "WRAP_UP"]);
export const CONNECTED = new Set(["TALKING", "HOLDING", "CONSULTING", "CONFERENCING"]);
/** Whether this agent and the customer hear each other; while somebody is asked, they may not. */
export function hearsCustomer(me: Me, call: Call): boolean {
  if (me.state === "TALKING") return call.bridged_ms !== null;
  return me.state === "CONFERENCING" || (me.state === "CONSULTING" && call.company?.aim === "customer");
}

/** States in which Ready, Pause and Sign out only say what comes next. */
export const BUSY = new Set([...IN_CALL, "OFFERED", "WRAP_UP"]);

const NUMBER = /^\+?[0-9*#]{1,32}$/;

/** A number as it was typed or pasted, made dialable; "" when it is none. */
export function dialable(text: string): string {
  const digits = text.normalize("NFKC").replace(/[\s().-]/g, "");
  return NUMBER.test(digits) ? digits : "";
}
