/** Customers as the REST interface has them (docs: /api/v1/docs/, tag "customers"), and the requests of these pages. */

import { Problem, UNREACHABLE, request } from "$lib/http";
import { t } from "$lib/words";
import { w } from "./words";

export const LEVELS = ["standard", "silver", "gold", "vip"] as const;
export const LABELS = ["mobile", "work", "home", "other"] as const;
export const LANGUAGES = [
  { id: "zh-hans", name: "中文" },
  { id: "en", name: "English" },
] as const;

export interface PhoneNumber {
  number: string;
  shown?: string;
  extension: string;
  label: string;
}

export interface Customer {
  id: number;
  name: string;
  company: string;
  level: string;
  language: string;
  email: string;
  address: string;
  external_id: string;
  remark: string;
  owner: number | null;
  owner_name: string;
  numbers: PhoneNumber[];
  tags: string[];
  version: number;
  created_at: string;
  updated_at: string;
}

export type Draft = Omit<Customer, "id" | "owner" | "owner_name" | "version" | "created_at" | "updated_at">;

export interface Match {
  result: "none" | "one" | "several" | "withheld";
  number: string;
  shown: string;
  extension: string;
  linked: boolean;
  customers: Customer[];
}

export interface Contact {
  kind: "call" | "note";
  id: string;
  at: string;
  direction: string;
  number: string;
  outcome: string;
  missed: boolean;
  live: boolean;
  queue: string;
  agent: string;
  talk_ms: number;
  wait_ms: number;
  disposition: string;
  text: string;
  linked: boolean;
  recordings: { id: string; duration_ms: number | null }[];
}

export interface Page<Row> {
  next: string | null;
  results: Row[];
}

/** What the page's template says about who looks at it. */
export interface PageData {
  may: { edit: boolean; import: boolean; export: boolean; delete: boolean; merge: boolean; calls: boolean };
  most_mb: number;
  most_rows: number;
}

const BASE = "/api/v1/customers";

export const emptyDraft = (): Draft => ({
  name: "", company: "", level: "standard", language: "", email: "", address: "", external_id: "", remark: "", numbers: [], tags: [],
});

export const find = (query: Record<string, string>) => request<Page<Customer>>("GET", `${BASE}?${new URLSearchParams(query)}`);
export const follow = <Row>(next: string) => request<Page<Row>>("GET", next);
export const read = (id: number | string) => request<Customer>("GET", `${BASE}/${id}`);
export const create = (draft: Draft) => request<Customer>("POST", BASE, draft);
export const match = (number: string, call: string) => request<Match>("GET", `${BASE}/match?${new URLSearchParams({ number, call })}`);
export const link = (id: number, call: string) => request<Customer>("POST", `${BASE}/${id}/calls`, { call });
export const contacts = (id: number, limit: number) => request<Page<Contact>>("GET", `${BASE}/${id}/timeline?limit=${limit}`);
export const addNote = (id: number, text: string, call = "") => request<unknown>("POST", `${BASE}/${id}/notes`, { text, ...(call ? { call } : {}) });
export const deleteNote = (id: number, note: string) => request<null>("DELETE", `${BASE}/${id}/notes/${note}`);
export const merge = (id: number, other: number) => request<Customer>("POST", `${BASE}/${id}/merge`, { other });
export const remove = (customer: Customer) => request<null>("DELETE", `${BASE}/${customer.id}`, undefined, seen(customer));
export const erase = (id: number) => request<{ calls: number; held: number }>("POST", `${BASE}/${id}/erase`, {});
export const dataAddress = (id: number) => `${BASE}/${id}/data`;
export const allTags = () => request<string[]>("GET", `${BASE}/tags`);

/** A change that does not cross somebody else's: a newer version is a Problem with status 412. */
export const change = (customer: Customer, fields: Partial<Draft>) => request<Customer>("PATCH", `${BASE}/${customer.id}`, fields, seen(customer));

const seen = (customer: Customer) => ({ "If-Match": `"${customer.id}-${customer.version}"` });

export const levelWord = (level: string) => (w.has(`level_${level}`) ? w(`level_${level}` as "level_vip") : level);
export const labelWord = (label: string) => (w.has(`label_${label}`) ? w(`label_${label}` as "label_work") : label);
export const outcomeWord = (outcome: string) => (w.has(`outcome_${outcome}`) ? w(`outcome_${outcome}` as "outcome_served") : outcome);

/** What to say of an error. */
export function trouble(error: unknown): string {
  if (!(error instanceof Problem)) throw error;
  return error.status === UNREACHABLE ? t("server_away") : t("failed", { reason: error.detail || String(error.status) });
}

/** A problem's errors by the first part of their place in the body: "numbers" for /numbers/0/number. */
export function fieldTrouble(error: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  if (!(error instanceof Problem) || typeof error.body !== "object" || error.body === null) return found;
  const errors = (error.body as { errors?: unknown }).errors;
  for (const item of Array.isArray(errors) ? errors : []) {
    const { pointer, detail } = item as { pointer?: string; detail?: string };
    const name = pointer?.split("/")[1];
    if (name && detail) found[name] ??= detail;
  }
  return found;
}
