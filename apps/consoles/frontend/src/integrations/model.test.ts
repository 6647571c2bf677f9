import { expect, test } from "vitest";
import { type Endpoint, type Token, stateOf, tokenState } from "./model";

const endpoint = (change: Partial<Endpoint>) => ({ active: true, failing_since: null, disabled_at: null, ...change }) as Endpoint;

test("a webhook that fails is not yet one that was switched off", () => {
  expect(stateOf(endpoint({}))).toBe("on");
  expect(stateOf(endpoint({ failing_since: "2026-11-26T00:00:00Z" }))).toBe("failing");
  expect(stateOf(endpoint({ active: false }))).toBe("off");
  expect(stateOf(endpoint({ active: false, failing_since: "x", disabled_at: "x" }))).toBe("switched_off");
});

test("a revoked token is revoked, whether or not it would have expired", () => {
  const token = (change: Partial<Token>) => ({ revoked_at: null, expires_at: null, ...change }) as Token;
  const now = Date.parse("2026-11-26T12:00:00Z");
  expect(tokenState(token({}), now)).toBe("good");
  expect(tokenState(token({ expires_at: "2026-11-26T12:00:00Z" }), now)).toBe("expired");
  expect(tokenState(token({ expires_at: "2026-11-26T13:00:00+00:00" }), now)).toBe("good");
  expect(tokenState(token({ expires_at: "2020-01-01T00:00:00Z", revoked_at: "2026-01-01T00:00:00Z" }), now)).toBe("revoked");
});
