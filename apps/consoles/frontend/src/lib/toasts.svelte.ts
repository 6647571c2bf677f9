/** Short news in the corner. Trouble that lasts belongs into the banner instead. */

export type ToastLevel = "good" | "warn" | "bad";
export interface Toast {
  id: number;
  level: ToastLevel;
  text: string;
}

const SHOWN_MS: Record<ToastLevel, number> = { good: 4_000, warn: 8_000, bad: 12_000 };
const MOST = 4;

class Toasts {
  all = $state<Toast[]>([]);
  #next = 1;

  say(text: string, level: ToastLevel = "good"): void {
    const id = this.#next++;
    this.all = [...this.all.filter((toast) => toast.text !== text), { id, level, text }].slice(-MOST);
    setTimeout(() => this.drop(id), SHOWN_MS[level]);
  }

  drop(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
