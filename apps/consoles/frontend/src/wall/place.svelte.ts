/** What is shown, kept in the page's address: a link or a reload shows the same. */

import type { Order } from "$ui/Table.svelte";

const NAMES = ["tab", "q", "queue", "state", "agent"] as const;
type Name = (typeof NAMES)[number];

export class Place {
  #asked = new URLSearchParams(location.search);
  tab = $state(this.#asked.get("tab") === "day" ? "day" : "floor");
  q = $state(this.#asked.get("q") ?? "");
  queue = $state(this.#asked.get("queue") ?? "");
  state = $state(this.#asked.get("state") ?? "");
  agent = $state(this.#asked.get("agent") ?? "");
  order = $state<Order | null>(orderOf(this.#asked.get("sort") ?? "state"));

  /** To be called in an effect: writes the address anew, without a step in the browser's history. */
  write(): void {
    const url = new URL(location.href);
    const values: Record<Name, string> = { tab: this.tab === "floor" ? "" : this.tab, q: this.q, queue: this.queue, state: this.state, agent: this.agent };
    for (const name of NAMES) {
      if (values[name]) url.searchParams.set(name, values[name]);
      else url.searchParams.delete(name);
    }
    const sort = this.order ? `${this.order.down ? "-" : ""}${this.order.column}` : "";
    if (sort && sort !== "state") url.searchParams.set("sort", sort);
    else url.searchParams.delete("sort");
    if (url.href !== location.href) history.replaceState(null, "", url);
  }
}

function orderOf(text: string): Order {
  return { column: text.replace(/^-/, ""), down: text.startsWith("-") };
}
