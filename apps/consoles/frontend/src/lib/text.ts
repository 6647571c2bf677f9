/** How times, numbers and other people's words are written. Everything here becomes text nodes, never HTML. */

const two = (count: number) => String(count).padStart(2, "0");

/** Milliseconds as m:ss or h:mm:ss. */
export function clock(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export type Values = Record<string, string | number>;

/** A text with its {names} filled in. */
export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}

export const CALLER_TEXT_LETTERS = 64;

/** A caller's text for the screen: at most 64 characters, and something to see when there is none. */
export function callerText(text: string | null | undefined, otherwise = ""): string {
  const letters = Array.from(text ?? "");
  if (letters.length === 0) return otherwise;
  return letters.length > CALLER_TEXT_LETTERS ? `${letters.slice(0, CALLER_TEXT_LETTERS).join("")}…` : letters.join("");
}

/** Bytes as people say them: 4.2 MB. */
export function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let at = 0;
  while (bytes >= 1000 && at < units.length - 1) {
    bytes /= 1000;
    at += 1;
  }
  return `${at === 0 ? bytes : bytes.toFixed(1)} ${units[at]}`;
}
