/** The tree of results. Pure. */

import type { Disposition } from "./model";

/** Those right below a heading, or the top ones. */
export function childrenOf(all: readonly Disposition[], heading: string | null): Disposition[] {
  return all.filter((item) => item.parent === heading);
}

/** From the top down to this one; [] for null. */
export function namesOf(all: readonly Disposition[], code: string | null): Disposition[] {
  const item = all.find((one) => one.code === code);
  return item ? [...namesOf(all, item.parent), item] : [];
}

/** What can be chosen and has all words of the text in its own name, its headings' names or its code. */
export function leavesLike(all: readonly Disposition[], text: string): Disposition[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const headings = new Set(all.map((item) => item.parent));
  return all.filter((item) => {
    if (headings.has(item.code)) return false;
    const name = namesOf(all, item.code).map((step) => step.name).join(" ").toLowerCase();
    return words.every((word) => name.includes(word) || item.code.startsWith(word));
  });
}
