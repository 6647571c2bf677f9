/** Tones of the page itself: ring, ringing at the other end, the zip before an automatic answer, the test tone. */

const RING = { hertz: [440, 480], onMs: 1_000, offMs: 2_000, gain: 0.12 };
const RINGBACK = { hertz: [450], onMs: 1_000, offMs: 4_000, gain: 0.08 }; // GB/T: one second on, four off
const BUSY = { hertz: [450], onMs: 350, offMs: 350, gain: 0.08 };

const WAKE_MS = 300;

type Cadence = typeof RING;

export class Sounds {
  readonly context = new AudioContext();
  #playing: { name: string; timer: ReturnType<typeof setInterval> } | null = null;

  get running(): boolean {
    return this.context.state === "running";
  }

  /** Browsers let a page speak only after a gesture; true when the sound runs already. */
  async wake(): Promise<boolean> {
    if (!this.running) await Promise.race([this.context.resume(), new Promise((next) => setTimeout(next, WAKE_MS))]);
    return this.running;
  }

  ring(): void {
    this.#repeat("ring", RING);
  }

  ringback(): void {
    this.#repeat("ringback", RINGBACK);
  }

  busy(): void {
    this.#repeat("busy", BUSY);
    setTimeout(() => this.quiet("busy"), 2_100);
  }

  /** 200 ms, so that nobody is thrown into a talk without warning. */
  zip(): void {
    this.#tone([880, 1320], 200, 0.15);
  }

  test(): void {
    this.#tone([523], 250, 0.2);
    setTimeout(() => this.#tone([659], 350, 0.2), 280);
  }

  /** Stop the named cadence, or whichever plays. */
  quiet(name = ""): void {
    if (!this.#playing || (name && this.#playing.name !== name)) return;
    clearInterval(this.#playing.timer);
    this.#playing = null;
  }

  async useSpeaker(id: string): Promise<void> {
    const context = this.context as AudioContext & { setSinkId?: (id: string) => Promise<void> };
    await context.setSinkId?.(id);
  }

  #repeat(name: string, cadence: Cadence): void {
    if (this.#playing?.name === name) return;
    this.quiet();
    const once = () => this.#tone(cadence.hertz, cadence.onMs, cadence.gain);
    once();
    this.#playing = { name, timer: setInterval(once, cadence.onMs + cadence.offMs) };
  }

  #tone(hertz: number[], ms: number, level: number): void {
    const at = this.context.currentTime;
    const gain = this.context.createGain();
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(level, at + 0.015);
    gain.gain.setValueAtTime(level, at + ms / 1000 - 0.02);
    gain.gain.linearRampToValueAtTime(0, at + ms / 1000);
    gain.connect(this.context.destination);
    for (const each of hertz) {
      const source = this.context.createOscillator();
      source.frequency.value = each;
      source.connect(gain);
      source.start(at);
      source.stop(at + ms / 1000);
    }
  }
}
