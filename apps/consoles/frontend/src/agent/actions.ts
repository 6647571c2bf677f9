/** What an agent can do, by which keys, and what the state shows once it is done. Pure. */

import type { Bindings } from "$lib/keys";
import { CONNECTED, IN_CALL, type Call, type Me } from "./model";

export const ACTIONS = ["answer", "decline", "hang_up", "hold", "extend", "mute", "mask", "transfer", "merge", "ready_pause", "pause_reason", "search", "finish"] as const;
export type Action = (typeof ACTIONS)[number];

export const DEFAULT_KEYS: Bindings<Action> = {
  answer: "F2",
  decline: "Shift+F2",
  hang_up: "Ctrl+F2",
  hold: "F4",
  extend: "F4",
  mute: "F8",
  mask: "Shift+F8",
  transfer: "F9",
  merge: "Shift+F9",
  ready_pause: "Ctrl+F8",
  pause_reason: "Ctrl+Shift+F8",
  search: "Ctrl+K",
  finish: "Ctrl+Enter",
};

/** Never possible at the same time, so they may share a key. */
export const TOGETHER: readonly (readonly Action[])[] = [["hold", "extend"]];

export interface Shown {
  me: Me | undefined;
  call: Call | undefined;
}

const rests = (state: string) => (shown: Shown) => shown.me?.state === state || shown.me?.next_state === state;

/** Command of the protocol -> whether the state shows its effect; what is not here is done when it was taken. */
export const SHOWN_BY: Record<string, (shown: Shown, before: Shown) => boolean> = {
  sign_in: ({ me }) => me?.state !== "LOGGED_OUT",
  sign_out: rests("LOGGED_OUT"),
  ready: ({ me }) => me?.state === "READY" || me?.next_state === "READY" || (me?.next_state === "" && me?.state !== "PAUSED" && me?.state !== "NOT_RESPONDING"),
  pause: rests("PAUSED"),
  answer: ({ me }) => me?.state !== "OFFERED",
  decline: ({ me }) => me?.state !== "OFFERED",
  hang_up: ({ me }, before) => (before.me?.state === "CONSULTING" ? me?.state !== "CONSULTING" : !IN_CALL.has(me?.state ?? "")),
  hold: ({ me }) => me?.state === "HOLDING" || !CONNECTED.has(me?.state ?? ""),
  resume: ({ me }) => me?.state !== "HOLDING",
  mute: ({ call }) => call?.muted !== false,
  unmute: ({ call }) => call?.muted !== true,
  mask: ({ call }) => call?.masked_ms !== null,
  unmask: ({ call }) => call?.masked_ms === null || call?.masked_ms === undefined,
  transfer: ({ me }) => !CONNECTED.has(me?.state ?? ""),
  consult: ({ me }) => me?.state === "CONSULTING" || !CONNECTED.has(me?.state ?? ""),
  consult_swap: ({ me, call }, before) => me?.state !== "CONSULTING" || call?.company?.aim !== before.call?.company?.aim,
  consult_complete: ({ me }) => me?.state !== "CONSULTING",
  consult_cancel: ({ me }, before) => me?.state !== before.me?.state,
  three_way: ({ me }) => me?.state !== "CONSULTING",
  dial: ({ me }) => IN_CALL.has(me?.state ?? ""),
  finish: ({ me }, before) => me?.state !== "WRAP_UP" || me.call !== before.me?.call,
  extend: ({ me }, before) => me?.state !== "WRAP_UP" || me.deadline_ms !== before.me?.deadline_ms,
};

/** Commands about the shown call, checked against the version that was seen. */
export const ABOUT_CALL = new Set(["answer", "decline", "hang_up", "hold", "resume", "mute", "unmute", "mask", "unmask", "dtmf", "transfer", "consult", "consult_swap", "consult_complete", "consult_cancel", "three_way"]);
export const NAMES_CALL = new Set(["finish", "extend", "draft", "ack", "help", "mark"]);

/** Ready and pause share a key: it undoes what was pressed last. */
export function toReady(me: Me): boolean {
  return ["PAUSED", "NOT_RESPONDING"].includes(me.state) || ["PAUSED", "LOGGED_OUT"].includes(me.next_state);
}
