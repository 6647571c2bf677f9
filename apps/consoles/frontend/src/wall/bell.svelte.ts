/** The sound of critical alarms: at once, and again while nobody looks after them. Each supervisor may switch it off. */

const STORED = "trunkline.alarm-sound";
const AGAIN_MS = 15_000;
const TONES = [880, 660, 880];
const TONE_MS = 160;

export class Bell {
  on = $state(localStorage.getItem(STORED) !== "off");
  /** The browser wants a click on the page before it lets it be heard. */
  blocked = $state(false);
  #context: AudioContext | null = null;
  #known = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** To be called with what is loud now, by id and time: a new one sounds at once. */
  hear(ids: string[]): void {
    const fresh = ids.some((id) => !this.#known.has(id));
    this.#known = new Set(ids);
    if (fresh) void this.sound();
    if (ids.length === 0) this.close();
    else this.#timer ??= setInterval(() => void this.sound(), AGAIN_MS);
  }

  toggle(): void {
    this.on = !this.on || this.blocked;
    localStorage.setItem(STORED, this.on ? "on" : "off");
    if (this.on) void this.sound(); // one knows how it sounds, and the browser has its click
  }

  async sound(): Promise<void> {
    if (!this.on) return;
    const context = (this.#context ??= new AudioContext());
    if (context.state !== "running") await Promise.race([context.resume(), new Promise((next) => setTimeout(next, 300))]);
    this.blocked = context.state !== "running";
    if (!this.blocked) TONES.forEach((hertz, place) => tone(context, hertz, context.currentTime + (place * TONE_MS) / 1000));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function tone(context: AudioContext, hertz: number, at: number): void {
  const oscillator = new OscillatorNode(context, { frequency: hertz });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setTargetAtTime(0.15, at, 0.01);
  gain.gain.setTargetAtTime(0, at + TONE_MS / 1000 - 0.05, 0.02);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + TONE_MS / 1000);
}
