/** What is said when a telephone stops ringing and its agent is free again. Pure. */

import { errors } from "$lib/words";
import { w } from "./words";

export interface Said {
  text: string;
  code: "E16" | "";
}

/** `end` of the offer (`OfferOutcome`). "answered": they hung up before the two were brought together. */
export function whyItStopped(end: string | undefined): Said | null {
  if (end === "answered_elsewhere") return { text: w("taken_elsewhere"), code: "" };
  if (end === "withdrawn") return { text: w("taken_back"), code: "" };
  return end === "caller_left" || end === "answered" ? { text: errors("E16"), code: "E16" } : null;
}
