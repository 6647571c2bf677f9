/** What a Django template hands to its page, and how a page's component takes its place. */

import { type Component, mount } from "svelte";

/** Data that the template wrote with `json_script:"<id>"`. */
export function pageData<T>(id: string): T {
  const element = document.getElementById(id);
  if (!element?.textContent) throw new Error(`the page has no data ${id}`);
  return JSON.parse(element.textContent) as T;
}

/** Put a component into the element with this id, in place of what the server put there for the time of loading. */
export function mountAt<P extends Record<string, unknown>>(id: string, component: Component<P>, props: P): void {
  const target = document.getElementById(id);
  if (!target) throw new Error(`the page has no element ${id}`);
  target.replaceChildren();
  mount(component, { target, props });
}
