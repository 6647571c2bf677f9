/** The agent's own day, from history: figures, last calls, calls still without a result. Fetched when something ended. */

import { Problem, request } from "$lib/http";

export interface PastCall {
  id: string;
  direction: "inbound" | "outbound";
  number: string;
  name: string;
  queue: string;
  at_ms: number;
  talk_ms: number;
  disposition: string;
  note: string;
}

export interface Day {
  handled: number;
  /** Average handling time and its parts, ms; null where there was none. */
  handling_ms: number | null;
  talk_ms: number | null;
  wrap_up_ms: number | null;
  missed: number;
  paused: { code: string; name: string; used_ms: number; allowed_min: number | null }[];
  calls: PastCall[];
  unset: PastCall[];
}

const REFRESH_MS = 60_000;
const SETTLE_MS = 1_500; // the recorder writes a moment after the engine decided

export class MyDay {
  day = $state.raw<Day | null>(null);
  failed = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    setInterval(() => document.visibilityState === "visible" && void this.fetch(), REFRESH_MS);
    void this.fetch();
  }

  /** Soon, and once for several reasons. */
  soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.fetch(), SETTLE_MS);
  }

  async fetch(): Promise<void> {
    try {
      this.day = await request<Day>("GET", "/agent/day/");
      this.failed = false;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.failed = true;
    }
  }
}
