/** Notes outlive a reload, a crash and the network: every keystroke goes to this browser's IndexedDB. */

export interface Draft {
  call: string;
  note: string;
  disposition: string;
  at: number;
}

const STORE = "drafts";
const KEEP_MS = 7 * 24 * 3_600_000;

let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("trunkline-agent", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "call" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("no IndexedDB"));
  });
  return opened;
}

async function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const store = (await database()).transaction(STORE, mode).objectStore(STORE);
  return new Promise((resolve, reject) => {
    const asked = work(store);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("IndexedDB failed"));
  });
}

/** False when the browser keeps nothing (a private window of some browsers): the server still has the draft. */
export async function keep(draft: Draft): Promise<boolean> {
  try {
    await run("readwrite", (store) => store.put(draft));
    return true;
  } catch (error) {
    console.warn("draft not kept", error);
    return false;
  }
}

export async function read(call: string): Promise<Draft | undefined> {
  try {
    return await run<Draft | undefined>("readonly", (store) => store.get(call) as IDBRequest<Draft | undefined>);
  } catch (error) {
    console.warn("draft not read", error);
    return undefined;
  }
}

export async function drop(call: string): Promise<void> {
  try {
    await run("readwrite", (store) => store.delete(call));
    const old = (await run<Draft[]>("readonly", (store) => store.getAll() as IDBRequest<Draft[]>)).filter((draft) => Date.now() - draft.at > KEEP_MS);
    for (const draft of old) await run("readwrite", (store) => store.delete(draft.call));
  } catch (error) {
    console.warn("draft not dropped", error);
  }
}
