/**
 * The line to the server: one websocket that brings a snapshot, then numbered deltas, and carries commands back.
 *
 * The server owns all state (docs/live-protocol.md). On a gap or a new epoch the page asks for one new snapshot; while it
 * waits, deltas are passed over. Heartbeats are answered where they arrive and not by a timer: a hidden page's timers
 * sleep, its messages do not. Nothing here knows Svelte or the document, so that all of it can be tested.
 */

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each page knows the shape of its own topic
export type Entity = any;
/** `{kind: {id: entity}}`, as apps/live/views_of_state.py makes it. */
export type View = Record<string, Record<string, Entity>>;
export type Patch = Record<string, Record<string, Entity | null>>;

export interface EngineStatus {
  reachable: boolean;
  /** False until the server reached the engine for the first time: then there is nothing to show. */
  loaded: boolean;
  /** Seconds since the server last heard the engine. */
  age_s: number;
}

export interface Message {
  type: string;
  [field: string]: Entity;
}

export type Step = "changed" | "same" | "gap";

/** What is known of a topic, and what each message does to it. */
export class Follower {
  data: View = {};
  epoch: string | null = null;
  seq: number | null = null;
  /** A snapshot is on its way: deltas until then belong to something that is not shown. */
  waiting = true;

  take(message: Message): Step {
    if (message.type === "snapshot") return this.#snapshot(message);
    if (message.type === "delta") return this.#delta(message);
    if (message.type === "heartbeat") return this.#heartbeat(message);
    return "same";
  }

  /** The connection ended; the next one begins with a snapshot of its own accord. */
  lost(): void {
    this.waiting = true;
  }

  #snapshot(message: Message): Step {
    this.waiting = false;
    this.data = message.data;
    this.epoch = message.epoch;
    this.seq = message.seq;
    return "changed";
  }

  #delta(message: Message): Step {
    if (this.waiting) return "same";
    if (message.epoch !== this.epoch || message.seq !== (this.seq ?? 0) + 1) return this.#gap();
    this.seq = message.seq;
    this.data = patched(this.data, message.patch);
    return "changed";
  }

  #heartbeat(message: Message): Step {
    if (this.waiting || (message.epoch === this.epoch && message.seq === this.seq)) return "same";
    return this.#gap();
  }

  #gap(): Step {
    this.waiting = true;
    return "gap";
  }
}

/** A new view; kinds that the patch does not touch are the same objects as before. */
export function patched(view: View, patch: Patch): View {
  const result: View = { ...view };
  for (const [kind, changes] of Object.entries(patch)) {
    const items = { ...result[kind] };
    for (const [id, item] of Object.entries(changes)) {
      if (item === null) delete items[id];
      else items[id] = item;
    }
    result[kind] = items;
  }
  return result;
}

export type Outcome = { ok: true; code: ""; reason: string } | { ok: false; code: string; reason: string };

/** Codes of outcomes that this page makes itself; all others are the engine's or the server's. */
export const UNCONFIRMED = "unconfirmed";
export const NOT_SENT = "not_sent";

export const STALE_MS = 5_000;
export const CONFIRM_MS = 3_000;
const SNAPSHOT_WAIT_MS = 5_000;
/** The server says something each second; a network that lost us without a word would be noticed after many minutes. */
const DEAD_MS = 10_000;
const RETRY_MS = { first: 250, last: 4_000 };
/** Session over, not permitted: coming back would change nothing. */
const CLOSED_FOR_GOOD = new Set([4401, 4403]);

interface Pending {
  action: string;
  /** What the state must show before the command counts as done; the outcome alone says only that it was taken. */
  until: () => boolean;
  accepted: boolean;
  timer: ReturnType<typeof setTimeout>;
  settle: (outcome: Outcome) => void;
}

export interface LineOptions {
  url: string;
  /** The data are new. */
  change: () => void;
  /** Anything but the data may have changed: connection, age, commands under way. Also once a second. */
  status: () => void;
  openSocket?: (url: string) => WebSocket;
}

export class Line {
  readonly follower = new Follower();
  engine: EngineStatus = { reachable: false, loaded: false, age_s: 0 };
  connected = false;
  /** The close code after which the line stays closed, else 0. */
  closed = 0;
  /** The engine's clock minus ours, ms. */
  offsetMs = 0;
  /** How often a snapshot was asked for because of a gap. */
  resyncs = 0;

  #options: LineOptions;
  #socket: WebSocket | null = null;
  #heardMs = performance.now();
  #dialedMs = performance.now();
  #waitingSinceMs = performance.now();
  #retryMs = RETRY_MS.first;
  #pending = new Map<string, Pending>();
  #listeners = new Map<string, Set<(message: Message) => void>>();
  #timer: ReturnType<typeof setInterval>;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#eachSecond(), 1_000);
    this.#connect();
  }

  // --- what is known -------------------------------------------------------------------------------------------------

  get data(): View {
    return this.follower.data;
  }

  /** Milliseconds of the engine's clock. */
  now(): number {
    return Date.now() + this.offsetMs;
  }

  /** Whole seconds since the engine was last heard, through this socket. */
  get ageSeconds(): number {
    const ours = (performance.now() - this.#heardMs) / 1_000;
    return Math.round(ours + (this.engine.reachable ? 0 : this.engine.age_s));
  }

  get stale(): boolean {
    return !this.engine.loaded || !this.engine.reachable || performance.now() - this.#heardMs > STALE_MS;
  }

  /** Actions that were sent and are not yet done. */
  get busy(): Set<string> {
    return new Set([...this.#pending.values()].map((item) => item.action));
  }

  // --- saying --------------------------------------------------------------------------------------------------------

  send(message: Message): boolean {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /**
   * Ask for something; the promise never rejects. It is done when the outcome is there and `until` holds (by default
   * at once). Neither within 3 s: `unconfirmed`, and the state is fetched anew. A second click on the same action
   * while the first is under way sends nothing.
   */
  command(action: string, fields: Record<string, unknown> = {}, until: () => boolean = () => true): Promise<Outcome> {
    return new Promise((settle) => {
      const cmd_id = newId();
      if (this.busy.has(action) || !this.send({ type: "command", cmd_id, action, ...fields })) {
        settle({ ok: false, code: NOT_SENT, reason: "" });
        return;
      }
      const timer = setTimeout(() => {
        this.#settle(cmd_id, { ok: false, code: UNCONFIRMED, reason: "" });
        this.resync();
      }, CONFIRM_MS);
      this.#pending.set(cmd_id, { action, until, accepted: false, timer, settle });
      this.#options.status();
    });
  }

  /** Hear messages of one type that are neither state nor outcomes. Returns how to stop. */
  on(type: string, listener: (message: Message) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  resync(): void {
    this.resyncs += 1;
    this.follower.waiting = true;
    this.#waitingSinceMs = performance.now();
    this.send({ type: "resync" });
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  // --- hearing -------------------------------------------------------------------------------------------------------

  #connect(): void {
    const socket = (this.#options.openSocket ?? ((url: string) => new WebSocket(url)))(this.#options.url);
    this.#socket = socket;
    this.#dialedMs = performance.now();
    socket.onopen = () => {
      this.connected = true;
      this.#waitingSinceMs = performance.now();
      this.#options.status();
    };
    socket.onmessage = (event: MessageEvent<string>) => this.#take(JSON.parse(event.data) as Message);
    socket.onclose = (event: CloseEvent) => {
      if (this.#socket === socket) this.#lost(event.code);
    };
  }

  #lost(code: number): void {
    this.#socket = null;
    this.connected = false;
    this.follower.lost();
    if (CLOSED_FOR_GOOD.has(code)) {
      this.closed = code;
    } else {
      this.#retry = setTimeout(() => this.#connect(), this.#retryMs * (0.7 + Math.random() * 0.6));
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.last);
    }
    this.#options.status();
  }

  #take(message: Message): void {
    this.#heardMs = performance.now();
    if (typeof message.engine_ts === "number") this.offsetMs = message.engine_ts - Date.now();
    if (message.engine) this.engine = message.engine;
    if (message.type === "heartbeat") this.send({ type: "beat" });
    if (message.type === "snapshot") this.#retryMs = RETRY_MS.first;
    const step = this.follower.take(message);
    if (step === "gap") this.resync();
    if (step === "changed") {
      this.#options.change();
      this.#settleShown();
    }
    if (message.type === "outcome") this.#takeOutcome(message);
    for (const listener of this.#listeners.get(message.type) ?? []) listener(message);
    if (message.type === "heartbeat" || message.type === "snapshot") this.#options.status();
  }

  #takeOutcome(message: Message): void {
    const pending = this.#pending.get(message.cmd_id);
    if (!pending) return;
    if (!message.ok) this.#settle(message.cmd_id, { ok: false, code: message.code, reason: message.reason });
    else {
      pending.accepted = true;
      this.#settleShown();
    }
  }

  #settleShown(): void {
    for (const [cmd_id, pending] of this.#pending) {
      if (pending.accepted && pending.until()) this.#settle(cmd_id, { ok: true, code: "", reason: "" });
    }
  }

  #settle(cmd_id: string, outcome: Outcome): void {
    const pending = this.#pending.get(cmd_id);
    if (!pending) return;
    clearTimeout(pending.timer);
    this.#pending.delete(cmd_id);
    pending.settle(outcome);
    this.#options.status();
  }

  #eachSecond(): void {
    const socket = this.#socket;
    if (socket && this.#deaf()) {
      this.#lost(0);
      socket.close();
    }
    this.#options.status();
  }

  /** The server would have spoken or answered long ago: this socket hears nothing any more, or never opens. */
  #deaf(): boolean {
    const now = performance.now();
    const unanswered = this.connected && this.follower.waiting && now - this.#waitingSinceMs > SNAPSHOT_WAIT_MS;
    return unanswered || now - Math.max(this.#heardMs, this.#dialedMs) > DEAD_MS;
  }
}

/** An id that nobody guesses, 24 hex digits. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** `/ws/agent/` as an address on the page's own host. */
export function socketUrl(path: string): string {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;
}
