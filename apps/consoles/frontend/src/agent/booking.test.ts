import { describe, expect, it } from "vitest";
import { localIn, momentIn } from "./booking";

describe("a time on the centre's clock", () => {
  it("is the moment there, wherever the agent sits", () => {
    expect(momentIn("2026-11-27T09:30", "Asia/Shanghai")?.toISOString()).toBe("2026-11-27T01:30:00.000Z");
    expect(momentIn("2026-07-01T09:30", "Europe/Berlin")?.toISOString()).toBe("2026-07-01T07:30:00.000Z");
  });
  it("follows summer time on its own day", () => {
    expect(momentIn("2026-03-29T01:30", "Europe/Berlin")?.toISOString()).toBe("2026-03-29T00:30:00.000Z");
    expect(momentIn("2026-03-29T03:30", "Europe/Berlin")?.toISOString()).toBe("2026-03-29T01:30:00.000Z");
  });
  it("is shown as it is chosen", () => {
    expect(localIn(Date.parse("2026-11-27T01:30:40Z"), "Asia/Shanghai")).toBe("2026-11-27T09:30");
  });
  it("is nothing while it is not complete", () => {
    expect(momentIn("", "Asia/Shanghai")).toBeNull();
  });
});
