/**
 * Dictionaries in English and 简体中文. A page's words are one call of `dictionary` in its own words.ts; a key that one
 * language lacks is a type error, and a test compares the {names} in both.
 */

import { type Values, fill } from "./text";

export type Locale = "zh" | "en";

/** The page's language, as the server chose it. */
export const locale: Locale = typeof document !== "undefined" && !document.documentElement.lang.startsWith("zh") ? "en" : "zh";
/** For Intl: dates, numbers, sorting. */
export const language = locale === "zh" ? "zh-CN" : "en-GB";

export interface Dictionary<W extends Record<string, string>> {
  (key: keyof W, values?: Values): string;
  en: W;
  zh: { [K in keyof W]: string };
  has(key: string): key is keyof W & string;
}

export function dictionary<const W extends Record<string, string>>(en: W, zh: { [K in keyof W]: string }): Dictionary<W> {
  const words: { [K in keyof W]: string } = locale === "zh" ? zh : en;
  const say = (key: keyof W, values: Values = {}) => fill(words[key], values);
  return Object.assign(say, { en, zh, has: (key: string): key is keyof W & string => Object.hasOwn(words, key) });
}

/** The centre's clock, not the browser's: a day and an hour mean the same to everybody who works here. */
export const timeZone = (typeof document !== "undefined" && document.documentElement.dataset.timeZone) || undefined;
const day = new Intl.DateTimeFormat(language, { year: "numeric", month: "2-digit", day: "2-digit", timeZone });
const minute = new Intl.DateTimeFormat(language, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
const second = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone });

export const dateText = (at: number | string | Date) => day.format(new Date(at));
export const dateTimeText = (at: number | string | Date) => minute.format(new Date(at));
export const timeText = (at: number | string | Date) => second.format(new Date(at));

const byName = new Intl.Collator(language, { numeric: true });
export const compareNames = (a: string, b: string) => byName.compare(a, b);

/** Text that people of a centre write: one for all, or one a language. */
export type Worded = string | Record<string, string>;

export function worded(text: Worded): string {
  return typeof text === "string" ? text : (text[locale] ?? Object.values(text)[0] ?? "");
}
