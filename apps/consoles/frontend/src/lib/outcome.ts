/** Something asked of the engine over REST: its outcome comes with the command (docs/api.md). */

import { Problem, request } from "./http";
import { refusalText, t } from "./words";

interface Command {
  id: string;
  status: "pending" | "done" | "refused";
  code: string;
  reason: string;
}

const LONGEST_WAIT_S = 10;

/** Ask and wait for what became of it. "" when it was done, else why not, in the reader's language. */
export async function asked(path: string, body?: unknown): Promise<string> {
  try {
    let command = await request<Command>("POST", path, body, { "Idempotency-Key": crypto.randomUUID() });
    const there = path.includes("?") ? `&${path.split("?")[1]}` : "";
    if (command.status === "pending") command = await request<Command>("GET", `/api/v1/commands/${command.id}?wait=${LONGEST_WAIT_S}${there}`);
    return command.status === "done" ? "" : refusalText(command.status === "pending" ? "unconfirmed" : command.code, command.reason);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return Object.values(error.fields).flat()[0] ?? (error.detail || t("failed", { reason: error.message }));
  }
}
