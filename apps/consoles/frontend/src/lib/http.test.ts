import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem, request } from "./http";
import { t } from "./words";

function answered(body: string, type: string, how: { status?: number; redirected?: boolean } = {}): void {
  const reply = new Response(body, { status: how.status ?? 200, headers: { "Content-Type": type } });
  vi.stubGlobal("fetch", async () => Object.defineProperty(reply, "redirected", { value: how.redirected ?? false }));
}

beforeEach(() => {
  vi.stubGlobal("document", { querySelector: () => null, documentElement: { lang: "en" } });
});
afterEach(() => vi.unstubAllGlobals());

test("a session that ended is a problem, not the sign-in page for an answer", async () => {
  answered("<!doctype html><title>Sign in</title>", "text/html; charset=utf-8", { redirected: true });
  const failure = await request("POST", "/wall/alarms/acknowledge/", { id: "x" }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Problem);
  expect(failure).toMatchObject({ status: 401, detail: t("signed_off") });
});

test("JSON is read, an empty answer is null, a problem says what it says", async () => {
  answered('{"a": 1}', "application/json", { redirected: true });
  expect(await request("GET", "/x")).toEqual({ a: 1 });
  answered("", "text/plain");
  expect(await request("GET", "/x")).toBeNull();
  answered('{"detail": "No.", "errors": [{"pointer": "/name", "detail": "Too long."}]}', "application/problem+json", { status: 400 });
  const failure = await request("GET", "/x").catch((error: unknown) => error);
  expect(failure).toMatchObject({ status: 400, detail: "No.", fields: { name: ["Too long."] } });
});
