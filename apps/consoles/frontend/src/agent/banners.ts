/** Which trouble is said, worst first; one banner for each cause. Pure. */

import type { ErrorCode } from "$lib/words";

export interface Banner {
  code: ErrorCode | "signed_off" | "not_permitted_here" | "banner_suspended" | "banner_pause_over" | "banner_line_gone" | "banner_line_dialing";
  level: "good" | "warn" | "bad";
  values?: Record<string, string | number>;
}

export type Microphone = "unknown" | "live" | "refused" | "missing" | "silent";
export type MediaPlace = "owner" | "waiting" | "other_tab" | "moved";

export interface Trouble {
  closed: number;
  connected: boolean;
  engine: { reachable: boolean; loaded: boolean };
  stale: boolean;
  ageSeconds: number;
  /** Only a browser phone has these. */
  browserPhone: boolean;
  place: MediaPlace;
  microphone: Microphone;
  /** The customer waits with music while this page gets its sound back. */
  rejoining: boolean;
  /** The phone was on the switch and is no more, or the switch is out of reach. */
  phoneLost: boolean;
  signedIn: boolean;
  /** No calls for a moment: the switch could not ring the telephone. */
  suspended: boolean;
  /** On pause for longer than allowed. */
  pauseOver: boolean;
  /** The line that is to stay open is being called, or is gone. */
  line: "" | "dialing" | "gone";
  masked: boolean;
  recordingFailed: boolean;
  /** Words of what is wrong with the sound, or "". */
  quality: string;
  qualityBad: boolean;
}

export function banners(now: Trouble): Banner[] {
  return [...lines(now), ...(now.signedIn ? [...phone(now), ...desk(now)] : []), ...call(now)];
}

function lines(now: Trouble): Banner[] {
  const age = { n: now.ageSeconds };
  if (now.closed === 4403) return [{ code: "not_permitted_here", level: "bad" }];
  if (now.closed) return [{ code: "signed_off", level: "bad" }];
  if (!now.connected) return [{ code: "E08", level: "warn" }, ...(now.stale ? [{ code: "E25", level: "warn", values: age } as const] : [])];
  if (!now.engine.reachable) return [{ code: "E13", level: "warn" }, ...(now.engine.loaded ? [{ code: "E25", level: "warn", values: age } as const] : [])];
  return now.stale ? [{ code: "E25", level: "warn", values: age }] : [];
}

function phone(now: Trouble): Banner[] {
  if (!now.browserPhone) return now.phoneLost ? [{ code: "E14", level: "bad" }] : [];
  if (now.place === "moved") return [{ code: "E05", level: "warn" }];
  if (now.place === "other_tab") return [{ code: "E06", level: "good" }];
  if (now.place !== "owner") return [];
  const microphone = ({ refused: "E01", missing: "E02", silent: "E03" } as const)[now.microphone as "refused"];
  return [...(microphone ? [{ code: microphone, level: "bad" } as const] : []), ...(now.phoneLost ? [{ code: "E14", level: "bad" } as const] : [])];
}

function desk(now: Trouble): Banner[] {
  const found: Banner[] = [];
  if (now.suspended && !now.phoneLost) found.push({ code: "banner_suspended", level: "warn" });
  if (now.line) found.push(now.line === "gone" ? { code: "banner_line_gone", level: "bad" } : { code: "banner_line_dialing", level: "warn" });
  if (now.pauseOver) found.push({ code: "banner_pause_over", level: "warn" });
  return found;
}

function call(now: Trouble): Banner[] {
  const found: Banner[] = [];
  if (now.rejoining) found.push({ code: "E09", level: "warn" });
  if (now.quality) found.push({ code: "E23", level: now.qualityBad ? "bad" : "warn", values: { c: now.quality } });
  if (now.recordingFailed) found.push({ code: "E22", level: "bad" });
  if (now.masked) found.push({ code: "E21", level: "warn" });
  return found;
}
