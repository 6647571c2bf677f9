/** Imports as the REST interface has them, and their requests. */

import { request } from "$lib/http";
import type { Page } from "./model";

export interface Job {
  id: number;
  file_name: string;
  size_bytes: number;
  kind: "csv" | "xlsx";
  encoding: string;
  delimiter: string;
  has_headings: boolean;
  headers: string[];
  mapping: string[];
  tags: string[];
  update_existing: boolean;
  status: "draft" | "queued" | "running" | "done" | "failed" | "cancelled";
  reason: string;
  /** No worker takes it just now. */
  waiting: boolean;
  rows_total: number;
  /** False: rows_total is what was seen until now; the worker counts on. */
  counted: boolean;
  rows_done: number;
  created_count: number;
  updated_count: number;
  skipped_count: number;
  failed_count: number;
  created_by: string;
  created_at: string;
  fields_to_choose: { id: string; name: string }[];
}

export interface PreviewRow {
  row: number;
  cells: string[];
  result: "created" | "updated" | "skipped" | "refused";
  faults: { column: string; reason: string }[];
}

export interface Fault {
  row: number;
  column: string;
  value: string;
  reason: string;
}

export const ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "big5", "cp1252", "shift_jis", "euc_kr"];
export const DELIMITERS = [",", "\t", ";", "|", ","];
const BASE = "/api/v1/customers/imports";

export const jobs = () => request<Page<Job>>("GET", `${BASE}?limit=20`);
export const job = (id: number) => request<Job>("GET", `${BASE}/${id}`);
export const adjust = (id: number, how: Partial<Job>) => request<Job>("PATCH", `${BASE}/${id}`, how);
export const preview = (id: number) => request<PreviewRow[]>("GET", `${BASE}/${id}/preview`);
export const start = (id: number) => request<Job>("POST", `${BASE}/${id}/start`, {});
export const cancel = (id: number) => request<Job>("POST", `${BASE}/${id}/cancel`, {});
export const faults = (id: number) => request<Fault[]>("GET", `${BASE}/${id}/faults`);
export const reportHref = (id: number) => `${BASE}/${id}/report`;

export function upload(file: File): Promise<Job> {
  const form = new FormData();
  form.append("file", file);
  return request<Job>("POST", BASE, form);
}

export const goesOn = (one: Job) => one.status === "queued" || one.status === "running";
