import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MediaTab } from "./media_tab";

/** The browser's lock manager: one holder, the others in the order in which they asked. */
class Locks {
  #waiting: (() => Promise<void>)[] = [];
  #held = false;
  request(_name: string, work: () => Promise<void>): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push(async () => done(await work()));
      void this.#next();
    });
  }
  async #next(): Promise<void> {
    const first = this.#held ? undefined : this.#waiting.shift();
    if (!first) return;
    this.#held = true;
    await first();
    this.#held = false;
    void this.#next();
  }
}

function storage(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) };
}

let tabs: MediaTab[] = [];

function tab(): MediaTab {
  vi.stubGlobal("sessionStorage", storage()); // each tab has its own
  tabs.push(new MediaTab("7", () => {}));
  return tabs.at(-1) as MediaTab;
}

beforeEach(() => {
  tabs = [];
  vi.stubGlobal("navigator", { locks: new Locks() });
  vi.stubGlobal("localStorage", storage());
});
afterEach(() => {
  for (const tab of tabs) tab.yield();
  vi.unstubAllGlobals();
});

test("the sound moves to whichever tab asks for it, to and fro", async () => {
  const first = tab();
  await vi.waitFor(() => expect(first.holding).toBe("owner"));
  const second = tab();
  await vi.waitFor(() => expect(second.holding).toBe("other"));
  for (const [wants, has] of [[second, first], [first, second], [second, first], [first, second]] as const) {
    wants.take();
    await vi.waitFor(() => expect([wants.holding, has.holding]).toEqual(["owner", "other"]));
  }
});
