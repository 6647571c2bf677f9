/**
 * What a simulated caller says: a script chosen by the caller's number and told over and over. The simulator writes the
 * same into the recording (apps/switches/simulator/voices.py), so the two agree. Pure.
 */

import type { Line } from "./phone.svelte";

export const GAP_MS = 600;
export const PAUSE_MS = 2_500;

/** The script of this caller: by the last digit of the number. */
export function scriptFor(scripts: Line[][], number: string): Line[] {
  const digit = Number(/\d(?=\D*$)/.exec(number)?.[0] ?? 0);
  return scripts[digit % Math.max(1, scripts.length)] ?? [];
}

/** Where each line begins, ms, and how long one telling takes. */
export function timed(script: Line[]): { starts: number[]; totalMs: number } {
  const starts: number[] = [];
  let at = 0;
  for (const line of script) {
    starts.push(at);
    at += line.ms + GAP_MS;
  }
  return { starts, totalMs: at + PAUSE_MS };
}
