import { beforeEach, expect, test, vi } from "vitest";
import { SipPhone } from "./sip";
import type { Sounds } from "./sounds";

/** JsSIP's user agent, of which only its coming and going is looked at. */
const agents: { started: boolean }[] = [];

vi.mock("jssip", () => {
  class UA {
    started = false;
    constructor() {
      agents.push(this);
    }
    on(): void {}
    start(): void {
      this.started = true;
    }
    stop(): void {
      this.started = false;
    }
  }
  return { default: { UA, WebSocketInterface: class {} } };
});

const account = { kind: "sip", url: "ws://x/", uri: "sip:1@x", user: "1", password: "p", ice_servers: [] } as const;
const sounds = { context: { createAnalyser: () => ({ fftSize: 32 }) }, wake: async () => true } as unknown as Sounds;

function phone(): SipPhone {
  return new SipPhone({ ...account, ice_servers: [], renew_s: null }, sounds, () => false);
}

beforeEach(async () => {
  await import("jssip"); // made once, before two ask for it at the same time
  agents.length = 0;
  vi.stubGlobal("Audio", class {});
  vi.stubGlobal("navigator", {});
});

test("started twice at once, as by a click while the browser still asks for the microphone, it registers once", async () => {
  const twice = phone();
  await Promise.all([twice.start(), twice.start()]);
  await twice.start();
  expect(agents).toHaveLength(1);
  twice.stop();
  expect(agents.map((agent) => agent.started)).toEqual([false]);
});

test("stopped while it starts, it registers no more: another page has the sound", async () => {
  const stopped = phone();
  const starting = stopped.start();
  stopped.stop();
  await starting;
  expect(agents.filter((agent) => agent.started)).toEqual([]);
  expect(stopped.state.microphone).toBe("unknown");
});
