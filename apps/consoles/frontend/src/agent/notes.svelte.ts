/** What the agent types about the call at hand: kept in this browser at every key, on the server a second later. */

import { NOT_SENT, UNCONFIRMED } from "$lib/live";
import type { Live } from "$lib/live.svelte";
import * as drafts from "./drafts";
import type { Call, Me } from "./model";

const SEND_AFTER_MS = 1_000;
/** Not refused, but perhaps not kept either. */
const AGAIN: ReadonlySet<string> = new Set([NOT_SENT, UNCONFIRMED]);
export const MOST_LETTERS = 4_000;

export class Notes {
  call = $state("");
  note = $state("");
  disposition = $state("");
  /** "" nothing typed, "here" in this browser, "server" there as well. */
  kept = $state<"" | "here" | "server">("");
  #live: Live;
  #me: () => Me | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(live: Live, me: () => Me | undefined) {
    this.#live = live;
    this.#me = me;
  }

  /** Another call is at hand: bring back what was typed about it, here or elsewhere. */
  async begin(call: string, seen: Call | undefined): Promise<void> {
    if (call === this.call) return;
    clearTimeout(this.#timer);
    this.call = call;
    this.note = seen?.draft ?? "";
    this.disposition = seen?.draft_disposition ?? "";
    this.kept = this.note ? "server" : "";
    if (!call) return;
    const draft = await drafts.read(call);
    if (draft && this.call === call && (draft.note || draft.disposition)) {
      this.note = draft.note;
      this.disposition = draft.disposition;
      this.kept = "here";
      this.#send();
    }
  }

  /** After every change. */
  changed(): void {
    if (!this.call) return;
    this.kept = "here";
    void drafts.keep({ call: this.call, note: this.note, disposition: this.disposition, at: Date.now() });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), SEND_AFTER_MS);
  }

  /** The result of this call is with the engine: nothing is left to keep. Another call may have come meanwhile. */
  async done(call: string): Promise<void> {
    if (this.call === call) {
      clearTimeout(this.#timer);
      this.call = "";
      this.note = "";
      this.disposition = "";
      this.kept = "";
    }
    await drafts.drop(call);
  }

  #send(): void {
    const call = this.call;
    if (this.#me()?.call !== call || !this.#me()?.controls.includes("draft")) return;
    const disposition = this.disposition ? { disposition: this.disposition } : {};
    void this.#live.command("draft", { call, note: this.note, ...disposition }).then((outcome) => {
      if (outcome.ok && this.call === call) this.kept = "server";
      else if (AGAIN.has(outcome.code)) this.#timer = setTimeout(() => this.#send(), SEND_AFTER_MS);
    });
  }
}
