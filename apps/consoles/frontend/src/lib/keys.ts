/**
 * Keys as people write them ("Ctrl+F2"), which action each belongs to, and the choice of others. Nothing is taken while
 * an input method composes; Alt and Meta stay the system's and the screen reader's.
 */

export type Bindings<Action extends string> = Record<Action, string>;

const BARE = /^(F\d{1,2}|Escape)$/;

/** "Ctrl+Shift+F2", or "" for what is no key of ours. */
export function keyOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "shiftKey" | "altKey" | "metaKey" | "isComposing">): string {
  if (event.isComposing || event.altKey || event.metaKey) return "";
  if (["Control", "Shift", "Alt", "Meta", "Process", "Dead", "Unidentified"].includes(event.key)) return "";
  const name = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return `${event.ctrlKey ? "Ctrl+" : ""}${event.shiftKey ? "Shift+" : ""}${name}`;
}

/** Whether a key may be given to an action: a function key, or something with Ctrl, so that typing stays typing. */
export function usable(key: string): boolean {
  const last = key.split("+").at(-1) ?? "";
  if (BARE.test(last)) return last !== "Escape";
  return key.startsWith("Ctrl+") && last !== "" && !["C", "V", "X", "A", "Z", "T", "W", "N", "R"].includes(last);
}

/** What the browser keeps of a person's choice, made whole: unknown actions and unusable keys are dropped. */
export function merged<Action extends string>(defaults: Bindings<Action>, stored: unknown): Bindings<Action> {
  const result = { ...defaults };
  if (typeof stored !== "object" || stored === null) return result;
  for (const [action, key] of Object.entries(stored)) {
    if (Object.hasOwn(defaults, action) && typeof key === "string" && usable(key)) result[action as Action] = key;
  }
  return result;
}

/** Actions that have the same key; each action of `together` may share (they are never possible at the same time). */
export function clashes<Action extends string>(bindings: Bindings<Action>, together: readonly (readonly NoInfer<Action>[])[] = []): Action[] {
  const actions = Object.keys(bindings) as Action[];
  const share = (a: Action, b: Action) => together.some((group) => group.includes(a) && group.includes(b));
  return actions.filter((a) => actions.some((b) => a !== b && bindings[a] === bindings[b] && !share(a, b)));
}

/** All actions of this key, in the order of the bindings. */
export function actionsOf<Action extends string>(bindings: Bindings<Action>, key: string): Action[] {
  return key === "" ? [] : (Object.keys(bindings) as Action[]).filter((action) => bindings[action] === key);
}
