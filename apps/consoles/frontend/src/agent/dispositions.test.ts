import { expect, test } from "vitest";
import { childrenOf, leavesLike, namesOf } from "./dispositions";

const all = [
  { code: "done", name: "已解决", parent: null },
  { code: "advice", name: "产品咨询", parent: null },
  { code: "network", name: "网络问题", parent: "advice" },
  { code: "down", name: "断网", parent: "network" },
  { code: "slow", name: "Slow line", parent: "network" },
];
const codes = (items: { code: string }[]) => items.map((item) => item.code);

test("a heading leads down, and the way is known", () => {
  expect(codes(childrenOf(all, null))).toEqual(["done", "advice"]);
  expect(codes(childrenOf(all, "network"))).toEqual(["down", "slow"]);
  expect(codes(namesOf(all, "down"))).toEqual(["advice", "network", "down"]);
  expect(namesOf(all, null)).toEqual([]);
});

test("typing finds what can be chosen, by its headings too, never a heading", () => {
  expect(codes(leavesLike(all, "咨询"))).toEqual(["down", "slow"]);
  expect(codes(leavesLike(all, "网络 断"))).toEqual(["down"]);
  expect(codes(leavesLike(all, "SLOW"))).toEqual(["slow"]);
  expect(codes(leavesLike(all, "advice"))).toEqual([]);
  expect(codes(leavesLike(all, "done"))).toEqual(["done"]);
});
