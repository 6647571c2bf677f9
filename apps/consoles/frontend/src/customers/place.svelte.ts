/** Where one is on the customers' page; the address says it, so that it can be kept, sent and gone back to. */

export type View = "list" | "new" | "import";

class Place {
  view = $state<View>("list");
  /** The customer or the import; 0 for none. */
  id = $state(0);

  constructor() {
    this.#read();
  }

  /** Follow the browser's back and forward; returns how to stop. */
  listen(): () => void {
    const read = () => this.#read();
    addEventListener("popstate", read);
    return () => removeEventListener("popstate", read);
  }

  go(view: View, id = 0): void {
    [this.view, this.id] = [view, id];
    const path = view === "import" ? "import/" : "";
    history.pushState(null, "", `/customers/${path}${id ? `${id}/` : ""}${view === "new" ? "#new" : ""}`);
  }

  #read(): void {
    const [, importing, id] = /^\/customers\/(import\/)?(?:(\d+)\/)?/.exec(location.pathname) ?? [];
    this.view = importing ? "import" : location.hash === "#new" ? "new" : "list";
    this.id = Number(id ?? 0);
  }
}

export const place = new Place();
