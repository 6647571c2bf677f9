/** Agent states as apps/core/agents/machine.py has them. Fills are in ui/tokens.css, icons in templates/consoles/icons.svg. */

import { type Dictionary, dictionary } from "./i18n";

export const STATES = [
  "LOGGED_OUT", "PAUSED", "READY", "OFFERED", "DIALING", "TALKING", "HOLDING", "CONSULTING", "CONFERENCING", "WRAP_UP",
  "NOT_RESPONDING", "DISCONNECTED",
] as const;
export type AgentState = (typeof STATES)[number];

export const stateWords: Dictionary<Record<AgentState, string>> = dictionary<Record<AgentState, string>>(
  {
    LOGGED_OUT: "Signed out",
    PAUSED: "Paused",
    READY: "Ready",
    OFFERED: "Ringing",
    DIALING: "Dialing",
    TALKING: "Talking",
    HOLDING: "On hold",
    CONSULTING: "Consulting",
    CONFERENCING: "Conference",
    WRAP_UP: "Wrap-up",
    NOT_RESPONDING: "Not responding",
    DISCONNECTED: "Disconnected",
  },
  {
    LOGGED_OUT: "已签出",
    PAUSED: "示忙",
    READY: "示闲",
    OFFERED: "振铃",
    DIALING: "外呼",
    TALKING: "通话",
    HOLDING: "保持",
    CONSULTING: "咨询",
    CONFERENCING: "三方",
    WRAP_UP: "话后整理",
    NOT_RESPONDING: "未应答",
    DISCONNECTED: "断线",
  },
);

const reasonWords = dictionary(
  {
    login: "signed in",
    no_answer: "did not answer",
    forced: "supervisor",
    declined: "call declined",
    lost: "connection lost",
    no_ack: "page did not answer",
    device: "phone cannot be reached",
    line_lost: "line lost",
    line_not_answered: "line not answered",
    line_failed: "line could not be called",
  },
  {
    login: "刚签入",
    no_answer: "未应答",
    forced: "班长操作",
    declined: "已拒接",
    lost: "连接中断",
    no_ack: "页面未响应",
    device: "话机无法接通",
    line_lost: "话路中断",
    line_not_answered: "话路未接听",
    line_failed: "话路呼叫失败",
  },
);

export const stateWord = (state: string) => (stateWords.has(state) ? stateWords(state) : state);

/** A reason's word: the engine's own reasons, else the tenant's pause reasons by code. */
export function reasonWord(reason: string, pauseReasons: Record<string, string> = {}): string {
  return pauseReasons[reason] ?? (reasonWords.has(reason) ? reasonWords(reason) : reason);
}
