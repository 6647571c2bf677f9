/** How good a call sounds, from WebRTC's statistics once a second. Pure. */

export interface Sample {
  /** Milliseconds. */
  rtt: number;
  jitter: number;
  /** Share of packets lost in this second, percent. */
  loss: number;
}

export interface Quality extends Sample {
  mos: number;
}

/** Mean opinion score, 1 to about 4.4, by the E-model's usual shortcut. */
export function mos({ rtt, jitter, loss }: Sample): number {
  const latency = rtt + 2 * jitter + 10;
  const r = Math.max(0, 93.2 - (latency < 160 ? latency / 40 : (latency - 120) / 10) - 2.5 * loss);
  return Math.max(1, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r));
}

export const LIMITS = { amber: 3.5, red: 3, rtt: 400, jitter: 30, loss: 3 };
export type Cause = "mos" | "rtt" | "jitter" | "loss";
const SAMPLES = 5;
const RAISE = 3;

export function causes(quality: Quality): Cause[] {
  const found: Cause[] = [];
  if (quality.loss > LIMITS.loss) found.push("loss");
  if (quality.jitter > LIMITS.jitter) found.push("jitter");
  if (quality.rtt > LIMITS.rtt) found.push("rtt");
  if (found.length === 0 && quality.mos < LIMITS.amber) found.push("mos");
  return found;
}

/** Raises a cause at 3 bad seconds of the last 5 and clears it when all 5 were good, so that nothing flickers. */
export class Watch {
  #last: Quality[] = [];
  #raised = new Set<Cause>();

  add(sample: Sample): { quality: Quality; causes: Cause[]; bad: boolean } {
    const quality = { ...sample, mos: mos(sample) };
    this.#last = [...this.#last, quality].slice(-SAMPLES);
    for (const cause of ["mos", "rtt", "jitter", "loss"] as const) {
      const count = this.#last.filter((item) => causes(item).includes(cause)).length;
      if (count >= RAISE) this.#raised.add(cause);
      else if (count === 0) this.#raised.delete(cause);
    }
    const red = this.#last.filter((item) => item.mos < LIMITS.red).length >= RAISE;
    return { quality, causes: [...this.#raised], bad: red };
  }
}

export interface Counters {
  received: number;
  lost: number;
}

/** The second's sample from a report and the counters before it. */
export function sampleOf(report: Iterable<[string, Record<string, unknown>]>, before: Counters): { sample: Sample; counters: Counters } {
  const counters = { received: 0, lost: 0 };
  let rtt = 0;
  let jitter = 0;
  for (const [, item] of report) {
    if (item.type === "inbound-rtp" && item.kind === "audio") {
      counters.received += Number(item.packetsReceived ?? 0);
      counters.lost += Number(item.packetsLost ?? 0);
      jitter = Math.max(jitter, Number(item.jitter ?? 0) * 1000);
    } else if (item.type === "remote-inbound-rtp" && item.kind === "audio") rtt = Math.max(rtt, Number(item.roundTripTime ?? 0) * 1000);
    else if (item.type === "candidate-pair" && item.nominated === true && rtt === 0) rtt = Number(item.currentRoundTripTime ?? 0) * 1000;
  }
  const received = Math.max(0, counters.received - before.received);
  const lost = Math.max(0, counters.lost - before.lost);
  return { sample: { rtt, jitter, loss: received + lost > 0 ? (100 * lost) / (received + lost) : 0 }, counters };
}
