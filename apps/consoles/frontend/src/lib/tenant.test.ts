import { expect, test } from "vitest";
import { ofTenant } from "./tenant";

test("who chose a tenant stays there, and nobody else is sent anywhere", () => {
  expect(ofTenant("/calls/c1/", null)).toBe("/calls/c1/");
  expect(ofTenant("/calls/c1/", "2")).toBe("/calls/c1/?tenant=2");
  expect(ofTenant("/calls/found/?agent=7", "2&x")).toBe("/calls/found/?agent=7&tenant=2%26x");
});
