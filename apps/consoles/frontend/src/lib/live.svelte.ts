/** The line as Svelte sees it: reading any field makes the reader follow it. */

import { type EngineStatus, type Message, type Outcome, type View, Line, socketUrl } from "./live";
import { ticker } from "./ticker.svelte";

export class Live {
  data = $state.raw<View>({});
  engine = $state.raw<EngineStatus>({ reachable: false, loaded: false, age_s: 0 });
  connected = $state(false);
  closed = $state(0);
  stale = $state(true);
  ageSeconds = $state(0);
  busy = $state.raw<ReadonlySet<string>>(new Set());
  #offsetMs = $state(0);
  #frozenMs = $state<number | null>(null);
  #line: Line;

  constructor(path: string) {
    this.#line = new Line({
      url: socketUrl(path),
      change: () => (this.data = this.#line.data),
      status: () => this.#readStatus(),
    });
  }

  #readStatus(): void {
    // Called first from within the constructor of the line.
    const line = this.#line as Line | undefined;
    if (!line) return;
    this.engine = line.engine;
    this.connected = line.connected;
    this.closed = line.closed;
    this.stale = line.stale;
    this.ageSeconds = line.ageSeconds;
    this.#offsetMs = line.offsetMs;
    this.#frozenMs = this.stale ? (this.#frozenMs ?? line.now()) : null;
    const busy = line.busy;
    if (busy.size !== this.busy.size || [...busy].some((item) => !this.busy.has(item))) this.busy = busy;
  }

  /** The engine's clock, ms; follows four times a second and stands still while the data are stale. */
  get now(): number {
    return this.#frozenMs ?? ticker.ms + this.#offsetMs;
  }

  /** Everything on the page may be believed. */
  get ok(): boolean {
    return this.connected && !this.stale;
  }

  command(action: string, fields: Record<string, unknown> = {}, until?: () => boolean): Promise<Outcome> {
    return this.#line.command(action, fields, until);
  }

  send(message: Message): boolean {
    return this.#line.send(message);
  }

  on(type: string, listener: (message: Message) => void): () => void {
    return this.#line.on(type, listener);
  }

  get resyncs(): number {
    return this.#line.resyncs;
  }

  close(): void {
    this.#line.close();
  }
}
