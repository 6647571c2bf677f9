/** How long the pause at hand may still last: by itself or over the day, whichever ends first. Pure. */

import type { Me } from "./model";

export interface PauseLeft {
  /** Negative: for so long it has been too long. */
  leftMs: number;
  limitMs: number;
  over: boolean;
}

/** Null where nothing limits it. `nowMs` is on the engine's clock. */
export function pauseLeft(pause: Me["pause"], nowMs: number): PauseLeft | null {
  if (!pause || (pause.each_ms === null && pause.day_ms === null)) return null;
  const each = { mayMs: pause.each_ms ?? Infinity, limitMs: pause.each_ms ?? 0 };
  const day = { mayMs: pause.day_ms === null ? Infinity : pause.day_ms - pause.used_ms, limitMs: pause.day_ms ?? 0 };
  const first = day.mayMs < each.mayMs ? day : each;
  const leftMs = first.mayMs - (nowMs - pause.since_ms);
  return { leftMs, limitMs: first.limitMs, over: pause.over || leftMs <= 0 };
}
