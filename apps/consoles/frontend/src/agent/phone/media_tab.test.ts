import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MediaTab } from "./media_tab";

type Asker = { granted: () => Promise<void>; settle: () => void; fail: (error: DOMException) => void };

/** What a browser keeps for all of its tabs: one lock, its line, and stealing (Web Locks, W3C). */
class Browser {
  holder: Asker | null = null;
  line: Asker[] = [];

  /** `latency`: how long this tab's requests take to reach the browser. */
  locks(latency: number) {
    return {
      request: (_name: string, how: LockOptions, granted: () => Promise<void>) =>
        new Promise<void>((settle, fail) => {
          const asker: Asker = { granted, settle, fail };
          const gone = () => fail(new DOMException("gone", "AbortError"));
          how.signal?.addEventListener("abort", () => {
            this.line = this.line.filter((one) => one !== asker);
            gone();
          });
          setTimeout(() => {
            if (how.signal?.aborted) return;
            if (how.steal) {
              this.holder?.fail(new DOMException("stolen", "AbortError"));
              this.give(asker);
            } else this.line.push(asker);
            this.next();
          }, latency);
        }),
    };
  }

  next(): void {
    const asker = this.holder ? undefined : this.line.shift();
    if (asker) this.give(asker);
  }

  give(asker: Asker): void {
    this.holder = asker;
    void asker.granted().then(() => {
      asker.settle();
      if (this.holder !== asker) return;
      this.holder = null;
      this.next();
    });
  }
}

let browser: Browser;

beforeEach(() => {
  vi.useFakeTimers();
  browser = new Browser();
  const stored = new Map<string, string>();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  };
  vi.stubGlobal("localStorage", storage);
  vi.stubGlobal("BroadcastChannel", class {
    onmessage: unknown = null;
    postMessage() {}
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function open(id: string, latency: number): MediaTab {
  vi.stubGlobal("sessionStorage", { getItem: () => id, setItem: () => {} });
  vi.stubGlobal("navigator", { locks: browser.locks(latency) });
  return new MediaTab("7", () => {});
}

/** Requests of a tab go by its own navigator: the test says whose turn it is. */
async function as(latency: number, act: () => void): Promise<void> {
  vi.stubGlobal("navigator", { locks: browser.locks(latency) });
  act();
  await vi.advanceTimersByTimeAsync(1_000);
}

test("the sound moves to the tab that wants it, however slowly it asks", async () => {
  const first = open("a", 0);
  await vi.advanceTimersByTimeAsync(1);
  const second = open("b", 200);
  await vi.advanceTimersByTimeAsync(400);
  expect([first.holding, second.holding]).toEqual(["owner", "other"]);
  await as(200, () => second.take());
  expect([first.holding, second.holding]).toEqual(["other", "owner"]);
  await as(0, () => first.take());
  expect([first.holding, second.holding]).toEqual(["owner", "other"]);
});

test("a tab that is taking over while it waits for the former owner does not wait any longer", async () => {
  localStorage.setItem("cc-media:7", JSON.stringify({ id: "gone", at: Date.now() }));
  const tab = open("b", 0);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(tab.holding).toBe("other");
  await as(0, () => tab.take());
  expect(tab.holding).toBe("owner");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(tab.holding).toBe("owner");
});

test("the sound comes back to the tab that was robbed when the robber closes", async () => {
  const first = open("a", 0);
  await vi.advanceTimersByTimeAsync(1);
  const second = open("b", 0);
  await vi.advanceTimersByTimeAsync(400);
  await as(0, () => second.take());
  second.yield();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([first.holding, second.holding]).toEqual(["owner", "other"]);
});
