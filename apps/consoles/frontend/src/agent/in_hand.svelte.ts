/**
 * The call at hand as this page knows it: what is live, and what a live call has lost by its progress (since when it
 * waited, once it is talked on). It outlives a reload; when the switch has no call any more, its wrap-up still has it.
 */

import type { Call, Me } from "./model";

const STORED = "agent-call";
/** In these the call comes into this agent's hands: what was known of it is of another time, or another agent's. */
const COMING = new Set(["OFFERED", "DIALING"]);

/** `call` with this agent's own times: the first that were told since it came here. */
export function withOwnTimes(call: Call, last: Call | null, state: string): Call {
  if (last?.id !== call.id || COMING.has(state)) return call;
  return { ...call, queued_ms: last.queued_ms ?? call.queued_ms, talking_ms: last.talking_ms ?? call.talking_ms };
}

export class InHand {
  /** As it was when this page was opened. */
  readonly opened = stored();
  #me: () => Me | undefined;
  #live: () => Call | undefined;
  #last = $state.raw<Call | null>(this.opened);

  constructor(me: () => Me | undefined, live: () => Call | undefined) {
    this.#me = me;
    this.#live = live;
  }

  get call(): Call | undefined {
    const [me, live] = [this.#me(), this.#live()];
    if (live) return withOwnTimes(live, this.#last, me?.state ?? "");
    return me?.call && this.#last?.id === me.call ? this.#last : undefined;
  }

  /** When it was over for this agent, on the engine's clock, whoever talks on; null while it is not. */
  get endedMs(): number | null {
    const me = this.#me();
    return me?.state === "WRAP_UP" ? me.since_ms : null;
  }

  /** What is live is what will be remembered. */
  remember(): void {
    const [me, live] = [this.#me(), this.#live()];
    if (!live) return;
    this.#last = withOwnTimes(live, this.#last, me?.state ?? "");
    sessionStorage.setItem(STORED, JSON.stringify(this.#last));
  }
}

function stored(): Call | null {
  return JSON.parse(sessionStorage.getItem(STORED) ?? "null") as Call | null;
}
