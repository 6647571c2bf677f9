/** A call back that is being booked: whom, by which queue, and when on the centre's clock. Pure. */

export interface Booking {
  number: string;
  name: string;
  /** Name of the queue; "" or an unknown one leaves the first. */
  queue: string;
}

const FIELDS = ["year", "month", "day", "hour", "minute", "second"] as const;

/** What the clock on the wall shows in this zone, in ms as if it were UTC. */
function wallMs(atMs: number, timeZone: string | undefined): number {
  const format = new Intl.DateTimeFormat("en-US", { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23", timeZone });
  const parts = Object.fromEntries(format.formatToParts(atMs).map((part) => [part.type, Number(part.value)]));
  const [year = 0, month = 1, ...rest] = FIELDS.map((field) => parts[field] ?? 0);
  return Date.UTC(year, month - 1, ...(rest as [number, number, number, number]));
}

/** The moment of `2026-11-27T09:30` in a time zone; null when that is no time. An hour that is skipped is the one after. */
export function momentIn(local: string, timeZone: string | undefined): Date | null {
  const wanted = Date.parse(`${local}Z`);
  if (Number.isNaN(wanted)) return null;
  const guess = wanted - (wallMs(wanted, timeZone) - wanted);
  // The difference to UTC is that of the moment itself, not of the guess.
  return new Date(wanted - (wallMs(guess, timeZone) - guess));
}

/** The value of a `datetime-local` box that shows this moment in a time zone. */
export function localIn(atMs: number, timeZone: string | undefined): string {
  return new Date(wallMs(atMs, timeZone)).toISOString().slice(0, 16);
}
