import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Follower, Line, type Message, NOT_SENT, UNCONFIRMED, patched } from "./live";

class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: Message[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  say(message: Message): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  drop(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const engine = { reachable: true, loaded: true, age_s: 0 };
const snapshot = (seq: number, data: object = {}, epoch = "a"): Message => ({ type: "snapshot", epoch, seq, data, engine, engine_ts: Date.now() });
const delta = (seq: number, patch: object, epoch = "a"): Message => ({ type: "delta", epoch, seq, patch });
const heartbeat = (seq: number, epoch = "a"): Message => ({ type: "heartbeat", epoch, seq, engine, engine_ts: Date.now() });

let lines: Line[] = [];

function open(): { line: Line; socket: FakeSocket; change: ReturnType<typeof vi.fn> } {
  const change = vi.fn();
  const line = new Line({ url: "ws://x/", change, status: () => {}, openSocket: (url) => new FakeSocket(url) as unknown as WebSocket });
  lines.push(line);
  const socket = FakeSocket.all.at(-1) as FakeSocket;
  socket.open();
  return { line, socket, change };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});
afterEach(() => {
  for (const line of lines) line.close();
  lines = [];
  vi.useRealTimers();
});

test("a patch replaces whole entities, removes null ones, and leaves other kinds the same object", () => {
  const before = { a: { x: { n: 1 }, y: { n: 2 } }, b: { z: {} } };
  const after = patched(before, { a: { x: { n: 3 }, y: null }, c: { q: {} } });
  expect(after).toEqual({ a: { x: { n: 3 } }, b: { z: {} }, c: { q: {} } });
  expect(after.b).toBe(before.b);
  expect(before.a.x.n).toBe(1);
});

test("deltas in order are applied, a heartbeat in step changes nothing", () => {
  const follower = new Follower();
  expect(follower.take(delta(1, {}))).toBe("same");
  expect(follower.take(snapshot(4, { me: { 1: { s: 1 } } }))).toBe("changed");
  expect(follower.take(delta(5, { me: { 1: { s: 2 } } }))).toBe("changed");
  expect(follower.take(heartbeat(5))).toBe("same");
  expect(follower.data).toEqual({ me: { 1: { s: 2 } } });
});

test("a gap asks once, and everything until the snapshot is passed over", () => {
  const { line, socket, change } = open();
  socket.say(snapshot(4));
  for (const seq of [10, 11, 12]) socket.say(delta(seq, { me: { 1: { seq } } }));
  socket.say(heartbeat(12));
  expect(socket.sent.filter((message) => message.type === "resync")).toHaveLength(1);
  expect(change).toHaveBeenCalledTimes(1);
  socket.say(snapshot(12, { me: { 1: { seq: 12 } } }));
  socket.say(delta(13, { me: { 1: { seq: 13 } } }));
  expect(line.data).toEqual({ me: { 1: { seq: 13 } } });
  expect(line.resyncs).toBe(1);
});

test("a heartbeat that is ahead shows a lost delta", () => {
  const { socket } = open();
  socket.say(snapshot(4));
  socket.say(heartbeat(5));
  expect(socket.sent.map((message) => message.type)).toEqual(["beat", "resync"]);
});

test("a new epoch is a gap even when the numbers fit", () => {
  const { line, socket } = open();
  socket.say(snapshot(4, { me: { old: {} } }));
  socket.say(delta(5, { me: { 1: {} } }, "b"));
  expect(line.resyncs).toBe(1);
  socket.say(snapshot(1, { me: { new: {} } }, "b"));
  socket.say(delta(2, { me: { 2: {} } }, "b"));
  expect(line.data).toEqual({ me: { new: {}, 2: {} } });
});

test("a heartbeat is answered in its own turn, and silence makes the data stale", () => {
  const { line, socket } = open();
  socket.say(snapshot(1));
  socket.say(heartbeat(1));
  expect(socket.sent).toEqual([{ type: "beat" }]);
  expect(line.stale).toBe(false);
  vi.advanceTimersByTime(5_001);
  expect(line.stale).toBe(true);
  expect(line.ageSeconds).toBe(5);
  socket.say(heartbeat(1));
  expect(line.stale).toBe(false);
});

test("an unreachable engine makes the data stale though the server speaks", () => {
  const { line, socket } = open();
  socket.say(snapshot(1));
  socket.say({ ...heartbeat(1), engine: { reachable: false, loaded: true, age_s: 7 } });
  expect(line.stale).toBe(true);
  expect(line.ageSeconds).toBe(7);
});

test("a lost connection comes back with a growing delay and its own snapshot; a session that ended does not", () => {
  const { line, socket } = open();
  socket.say(snapshot(4));
  socket.drop();
  expect(line.connected).toBe(false);
  vi.advanceTimersByTime(400);
  expect(FakeSocket.all).toHaveLength(2);
  FakeSocket.all[1]?.drop();
  vi.advanceTimersByTime(300);
  expect(FakeSocket.all).toHaveLength(2);
  vi.advanceTimersByTime(700);
  const third = FakeSocket.all[2] as FakeSocket;
  third.open();
  third.say(delta(9, {}));
  third.say(snapshot(9));
  expect(third.sent).toEqual([]);
  third.drop(4401);
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all).toHaveLength(3);
  expect(line.closed).toBe(4401);
});

test("a snapshot that never comes makes a new connection", () => {
  const { socket } = open();
  socket.say(snapshot(1));
  socket.say(heartbeat(2));
  vi.advanceTimersByTime(7_000);
  expect(FakeSocket.all.length).toBeGreaterThan(1);
  expect(socket.readyState).toBe(3);
});

test("a connection that hears nothing any more, or never opens, is given up for a new one", () => {
  const { line, socket } = open();
  socket.say(snapshot(1));
  vi.advanceTimersByTime(8_000);
  expect(FakeSocket.all).toHaveLength(1);
  vi.advanceTimersByTime(4_000);
  expect(socket.readyState).toBe(3);
  expect(line.connected).toBe(false);
  const second = FakeSocket.all[1] as FakeSocket;
  vi.advanceTimersByTime(12_000);
  expect(second.readyState).toBe(3);
  expect(FakeSocket.all).toHaveLength(3);
  socket.drop(); // the browser notices at last; nobody waits for that one any more
  const third = FakeSocket.all[2] as FakeSocket;
  third.open();
  third.say(snapshot(5));
  expect(line.connected && !line.stale).toBe(true);
  vi.advanceTimersByTime(3_000);
  expect(FakeSocket.all).toHaveLength(3);
});

test("a command is done when it was taken and the state shows it", async () => {
  const { line, socket } = open();
  socket.say(snapshot(1, { me: { 1: { state: "TALKING" } } }));
  const done = line.command("hold", { call: "c" }, () => line.data.me?.[1]?.state === "HOLDING");
  expect(line.busy).toEqual(new Set(["hold"]));
  const sent = socket.sent[0] as Message;
  expect(sent).toMatchObject({ type: "command", action: "hold", call: "c" });
  socket.say({ type: "outcome", cmd_id: sent.cmd_id, ok: true, code: "", reason: "" });
  expect(line.busy.size).toBe(1);
  socket.say(delta(2, { me: { 1: { state: "HOLDING" } } }));
  expect(await done).toEqual({ ok: true, code: "", reason: "" });
  expect(line.busy.size).toBe(0);
});

test("a command that nothing confirms within 3 s is unconfirmed, and the state is fetched anew", async () => {
  const { line, socket } = open();
  socket.say(snapshot(1));
  const done = line.command("hold");
  vi.advanceTimersByTime(3_000);
  expect((await done).code).toBe(UNCONFIRMED);
  expect(socket.sent.map((message) => message.type)).toEqual(["command", "resync"]);
});

test("a second click sends nothing, a refusal says why, no line means not sent", async () => {
  const { line, socket } = open();
  socket.say(snapshot(1));
  const done = line.command("hold");
  expect((await line.command("hold")).code).toBe(NOT_SENT);
  socket.say({ type: "outcome", cmd_id: socket.sent[0]?.cmd_id, ok: false, code: "stale", reason: "v3" });
  expect(await done).toEqual({ ok: false, code: "stale", reason: "v3" });
  socket.drop();
  expect((await line.command("hold")).code).toBe(NOT_SENT);
});
