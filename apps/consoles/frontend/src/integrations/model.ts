/** What the REST interface says of tokens and webhooks, and how the page asks it. */

import { Problem, request } from "$lib/http";
import { toasts } from "$lib/toasts.svelte";
import { t } from "$lib/words";

export interface Choice {
  id: string;
  name: string;
}
export interface PageData {
  /** Only for a superuser, who chose one. */
  tenant: string;
  scopes: Choice[];
  events: Choice[];
  rate: number;
  docs: string;
  schema: string;
}
export interface Token {
  id: number;
  name: string;
  prefix: string;
  user: string;
  scopes: string[];
  networks: string[];
  rate_per_min: number;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  last_used_from: string | null;
}
export interface Endpoint {
  id: number;
  url: string;
  description: string;
  events: string[];
  active: boolean;
  created_at: string;
  old_secret_until: string | null;
  failing_since: string | null;
  failures: number;
  disabled_at: string | null;
  disabled_reason: string;
}
export interface Try {
  at: string;
  latency_ms: number;
  status: number | null;
  error: string;
  request_excerpt: string;
  response_excerpt: string;
}
export interface Delivery {
  id: number;
  message_id: string;
  event: string;
  status: "pending" | "delivered" | "failed";
  attempts: number;
  created_at: string;
  due_at: string;
  finished_at: string | null;
  tries: Try[];
}
export interface Page<Row> {
  next: string | null;
  results: Row[];
}

export type EndpointState = "on" | "failing" | "off" | "switched_off";

export function stateOf(endpoint: Endpoint): EndpointState {
  if (!endpoint.active) return endpoint.disabled_at ? "switched_off" : "off";
  return endpoint.failing_since ? "failing" : "on";
}

export type TokenState = "good" | "expired" | "revoked";

export function tokenState(token: Token, now: number): TokenState {
  if (token.revoked_at) return "revoked";
  return token.expires_at && Date.parse(token.expires_at) <= now ? "expired" : "good";
}

/** Requests for the tenant that a superuser chose. */
export function api(page: PageData) {
  const tenant = page.tenant ? `tenant=${encodeURIComponent(page.tenant)}` : "";
  return <T>(method: string, path: string, body?: unknown): Promise<T> =>
    request<T>(method, `/api/v1${path}${tenant ? (path.includes("?") ? "&" : "?") + tenant : ""}`, body);
}

export type Api = ReturnType<typeof api>;

/** Say what went wrong; the fields that are to blame, for a form. */
export function told(error: unknown): Record<string, string[]> {
  if (!(error instanceof Problem)) throw error;
  if (Object.keys(error.fields).length === 0) toasts.say(error.detail || t("server_away"), "bad");
  return error.fields;
}
