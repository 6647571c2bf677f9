/**
 * One tab has the sound. Its holder has the Web Lock `cc-media:<agent>`.
 *
 * A lock passes on within milliseconds of a reload, so a waiting tab would steal the sound from every reload: a tab that
 * is granted the lock while another owned it a moment ago waits 3 s for that one to say that it is coming back, and then
 * yields. The tab's own id lives in sessionStorage, which outlives a reload and nothing else.
 *
 * "Move audio here" steals the lock. To ask its holder for it would be a race: a holder that lets go and stands in line
 * again can be there before the tab that asked.
 */

import { newId } from "$lib/live";

export type Holding = "owner" | "waiting" | "other";

const RETURN_MS = 3_000;
const RENEW_MS = 1_000;
/** An owner who has not renewed the note for this long is not coming back. */
const FRESH_MS = 10_000;

type Note = { id: string; at: number };
type Said = { type: "returning"; id: string };

/** This tab's own id: the same after a reload. */
export function pageId(): string {
  const id = sessionStorage.getItem("media-tab") ?? newId();
  sessionStorage.setItem("media-tab", id);
  return id;
}

export class MediaTab {
  readonly id: string;
  holding: Holding = "waiting";
  #name: string;
  #channel: BroadcastChannel;
  #changed: (holding: Holding) => void;
  #release: (() => void) | null = null;
  #returningHeard = -Infinity;
  #renew: ReturnType<typeof setInterval> | undefined;
  #wanted = true;
  /** The place in line for the lock, while there is one. */
  #inLine: AbortController | null = null;
  /** Of the latest request: what an earlier one still has to say is no longer of interest. */
  #turn = 0;

  constructor(agent: string, changed: (holding: Holding) => void) {
    this.#name = `cc-media:${agent}`;
    this.#changed = changed;
    this.id = pageId();
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = (event: MessageEvent<Said>) => this.#hear(event.data);
    if (!("locks" in navigator)) {
      // No secure context: no microphone either, and nothing to share.
      this.#set("owner");
      return;
    }
    if (this.#note()?.id === this.id) this.#channel.postMessage({ type: "returning", id: this.id } satisfies Said);
    this.#ask();
    setTimeout(() => this.holding === "waiting" && this.#set("other"), 300);
  }

  /** "Move audio here": whichever tab of this browser has the sound loses it. */
  take(): void {
    if (this.#release) return;
    this.#wanted = true;
    this.#inLine?.abort();
    this.#inLine = null;
    if (!("locks" in navigator)) this.#set("owner");
    else void this.#request({ steal: true }, () => this.#own());
  }

  /** Let go, because another computer has the sound now. */
  yield(): void {
    this.#wanted = false;
    this.#letGo();
    this.#set("other");
  }

  /** The agent signs out: nobody is coming back. */
  forget(): void {
    if (this.holding === "owner") localStorage.removeItem(this.#name);
  }

  #note(): Note | null {
    try {
      return JSON.parse(localStorage.getItem(this.#name) ?? "null") as Note | null;
    } catch {
      return null; // not ours: somebody else wrote there
    }
  }

  #hear(said: Said): void {
    if (said.id === this.#note()?.id && said.id !== this.id) this.#returningHeard = performance.now();
  }

  /** One place in the line is enough: a second one would take the sound back when it was moved on. */
  #ask(): void {
    if (this.#inLine || this.#release) return;
    this.#inLine = new AbortController();
    void this.#request({ signal: this.#inLine.signal }, (turn) => this.#granted(turn));
  }

  async #request(how: LockOptions, granted: (turn: number) => Promise<void>): Promise<void> {
    const turn = ++this.#turn;
    try {
      await navigator.locks.request(this.#name, how, () => granted(turn));
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
      if (turn === this.#turn) this.#robbed();
    }
  }

  async #granted(turn: number): Promise<void> {
    const before = this.#note();
    const returns = this.#wanted && before && before.id !== this.id && Date.now() - before.at < FRESH_MS && (await this.#comesBack());
    if (turn !== this.#turn) return; // stolen meanwhile, perhaps by this tab
    this.#inLine = null;
    if (!this.#wanted) return;
    if (returns) {
      // Behind the one that returns, in the line for the lock.
      setTimeout(() => this.#wanted && this.#ask(), RENEW_MS);
      this.#set("other");
      return;
    }
    await this.#own();
  }

  /** Until it is let go, or stolen. */
  async #own(): Promise<void> {
    const held = new Promise<void>((release) => (this.#release = release));
    const renew = () => localStorage.setItem(this.#name, JSON.stringify({ id: this.id, at: Date.now() } satisfies Note));
    renew();
    this.#renew = setInterval(renew, RENEW_MS);
    this.#set("owner");
    await held;
  }

  /** Another tab took the lock. */
  #robbed(): void {
    this.#inLine = null;
    this.#letGo();
    this.#set("other");
    if (this.#wanted) this.#ask();
  }

  async #comesBack(): Promise<boolean> {
    // It may have been said before the page that is left let go of the lock.
    const granted = performance.now();
    const heard = () => this.#returningHeard > granted - RETURN_MS;
    while (performance.now() < granted + RETURN_MS && !heard()) await new Promise((next) => setTimeout(next, 50));
    return heard();
  }

  #letGo(): void {
    clearInterval(this.#renew);
    this.#release?.();
    this.#release = null;
  }

  #set(holding: Holding): void {
    if (holding === this.holding) return;
    this.holding = holding;
    this.#changed(holding);
  }
}
