/** Requests to this server with the session's cookie and Django's CSRF token; errors are RFC 9457 problems. */

import { t } from "./words";

export class Problem extends Error {
  constructor(
    readonly status: number,
    /** What the server says is wrong, in the reader's language; empty when it said nothing readable. */
    readonly detail: string,
    /** Field name -> what is wrong with it. */
    readonly fields: Record<string, string[]>,
    readonly body: unknown,
  ) {
    super(detail || `HTTP ${status}`);
  }
}

/** Status of a Problem when the server was not reached at all. */
export const UNREACHABLE = 0;
const SIGNED_OFF = 401;

/** Answer as JSON, or null for an empty one. Throws `Problem`. A FormData body is sent as it is (an upload). */
export async function request<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const form = body instanceof FormData;
  const safe = method === "GET" || method === "HEAD";
  let reply: Response;
  try {
    reply = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json, application/problem+json",
        ...(body === undefined || form ? {} : { "Content-Type": "application/json" }),
        ...(safe ? {} : { "X-CSRFToken": csrfToken() }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
  } catch (error) {
    throw new Problem(UNREACHABLE, "", {}, error);
  }
  const type = reply.headers.get("Content-Type") ?? "";
  const json = /\bjson\b|\+json/.test(type);
  // Whose session ended is sent to the sign-in page, and the browser has gone there already.
  if (reply.redirected && !json) throw new Problem(SIGNED_OFF, t("signed_off"), {}, null);
  const read: unknown = json ? await reply.json() : await reply.text();
  if (!reply.ok) throw problem(reply.status, read);
  return (read === "" ? null : read) as T;
}

function problem(status: number, read: unknown): Problem {
  const body = typeof read === "object" && read !== null ? (read as Record<string, unknown>) : {};
  const detail = body.detail ?? body.title ?? "";
  return new Problem(status, typeof detail === "string" ? detail : "", fieldErrors(body.errors), read);
}

function fieldErrors(errors: unknown): Record<string, string[]> {
  if (typeof errors !== "object" || errors === null) return {};
  if (Array.isArray(errors)) return byPointer(errors as FieldError[]);
  return Object.fromEntries(Object.entries(errors).map(([name, texts]) => [name, [texts].flat().map(String)]));
}

interface FieldError {
  pointer: string;
  detail: string;
}

/** The interface's list of places (JSON pointers) as field name -> what is wrong there. */
function byPointer(errors: FieldError[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { pointer, detail } of errors) (found[pointer.split("/").find(Boolean) ?? ""] ??= []).push(detail);
  return found;
}

function csrfToken(): string {
  return document.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
}
