/**
 * One tab has the sound (console.md, "One media tab"). Its holder has the Web Lock `cc-media:<agent>`.
 *
 * A lock passes on within milliseconds of a reload, so a waiting tab would steal the sound from every reload: a tab that
 * is granted the lock while another owned it a moment ago waits 3 s for that one to say that it is coming back, and then
 * yields. The tab's own id lives in sessionStorage, which outlives a reload and nothing else.
 */

import { newId } from "$lib/live";

export type Holding = "owner" | "waiting" | "other";

const RETURN_MS = 3_000;
const RENEW_MS = 1_000;
/** An owner who has not renewed the note for this long is not coming back. */
const FRESH_MS = 10_000;

type Note = { id: string; at: number };
type Said = { type: "returning" | "take"; id: string };

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
  #asked = false;
  /** Somebody moved the sound here: no former owner is waited for. */
  #moving = false;

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
    if (this.#note()?.id === this.id) this.#say("returning");
    this.#ask();
    setTimeout(() => this.holding === "waiting" && this.#set("other"), 300);
  }

  /** "Move audio here": the owner in this browser lets go. */
  take(): void {
    localStorage.removeItem(this.#name);
    this.#wanted = this.#moving = true;
    this.#say("take");
    this.#ask();
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

  #say(type: Said["type"]): void {
    this.#channel.postMessage({ type, id: this.id } satisfies Said);
  }

  #hear(said: Said): void {
    if (said.type === "returning") {
      if (said.id === this.#note()?.id && said.id !== this.id) this.#returningHeard = performance.now();
    } else if (said.type === "take" && this.holding === "owner") {
      this.#letGo();
      this.#set("other");
      this.#ask();
    }
  }

  /** One place in the queue is enough: a second one would take the sound back when it was moved on. */
  #ask(): void {
    if (this.#asked || this.#release) return;
    this.#asked = true;
    void navigator.locks.request(this.#name, () => this.#granted());
  }

  async #granted(): Promise<void> {
    const before = this.#note();
    const moved = this.#moving;
    this.#moving = false;
    const returns = this.#wanted && !moved && before && before.id !== this.id && Date.now() - before.at < FRESH_MS && (await this.#comesBack());
    this.#asked = false;
    if (!this.#wanted) return;
    if (returns) {
      // Behind the one that returns, in the queue for the lock.
      setTimeout(() => this.#wanted && this.#ask(), RENEW_MS);
      this.#set("other");
      return;
    }
    const held = new Promise<void>((release) => (this.#release = release));
    const renew = () => localStorage.setItem(this.#name, JSON.stringify({ id: this.id, at: Date.now() } satisfies Note));
    renew();
    this.#renew = setInterval(renew, RENEW_MS);
    this.#set("owner");
    await held;
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
