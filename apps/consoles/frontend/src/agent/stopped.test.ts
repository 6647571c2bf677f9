import { expect, test } from "vitest";
import { whyItStopped } from "./stopped";

test("who was rung beside others is told that somebody else has the call, not that the caller is gone", () => {
  expect(whyItStopped("answered_elsewhere")).toEqual({ text: "已由其他坐席接听", code: "" });
  expect(whyItStopped("caller_left")?.code).toBe("E16");
  expect(whyItStopped("answered")?.code).toBe("E16");
  expect(whyItStopped("withdrawn")?.text).toBe("来电已撤回");
});

test("of what the agent did, or a banner says, nothing is said twice", () => {
  expect([whyItStopped("declined"), whyItStopped("failed"), whyItStopped(""), whyItStopped(undefined)]).toEqual([null, null, null, null]);
});
