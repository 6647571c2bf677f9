/**
 * The demo's telephone: the switch is a simulator that moves no sound, so the page plays what the caller says. It is
 * registered from the start and picks up when the engine says so; its microphone is imaginary.
 */

import { type Line, type Phone, PhoneState } from "./phone.svelte";
import type { Sounds } from "./sounds";
import { scriptFor, timed } from "./voices";

export interface Talk {
  call: string;
  number: string;
  lang: string;
  /** Milliseconds talked so far, without holds: a reload goes on where the caller is. */
  elapsedMs: number;
}

export class SimulatedPhone implements Phone {
  readonly state = new PhoneState();
  #voices: Record<string, Line[][]>;
  #sounds: Sounds;
  #talking: { call: string; source: AudioBufferSourceNode } | null = null;
  #wanted = "";
  /** The call that `muted` is about. */
  #call = "";
  #wasMuted: () => boolean;
  #tellings = new Map<string, Promise<AudioBuffer>>();

  /** `wasMuted`: whether the call that is heard now was muted before the page was loaded anew. */
  constructor(voices: Record<string, Line[][]>, sounds: Sounds, wasMuted: () => boolean) {
    this.#wasMuted = wasMuted;
    this.#voices = voices;
    this.#sounds = sounds;
  }

  async start(): Promise<void> {
    this.state.hasCall = true; // whatever there is, the simulator's own telephone carries it
    this.state.microphone = "live";
    this.state.registered = true;
    this.state.everRegistered = true;
    this.state.audio = (await this.#sounds.wake()) ? "running" : "suspended";
  }

  answer(): void {
    // The simulator's own phone does it when the engine tells the switch.
  }

  mute(on: boolean): void {
    this.state.muted = on;
  }

  drop(): void {
    // The telephone is the simulator's own: it does not die with the page.
  }

  async useMicrophone(): Promise<void> {
    // There is none to choose.
  }

  useSpeaker(id: string): Promise<void> {
    return this.#sounds.useSpeaker(id);
  }

  /** Let the caller speak, or be silent (null: on hold, or no call). */
  async hear(talk: Talk | null): Promise<void> {
    this.#wanted = talk?.call ?? "";
    if (talk && talk.call !== this.#call) {
      this.#call = talk.call;
      this.state.muted = this.#wasMuted();
    }
    if (!talk || this.#talking?.call !== talk.call) this.#silence();
    if (!talk || this.#talking) return;
    const scripts = this.#voices[talk.lang] ?? Object.values(this.#voices)[0] ?? [];
    const script = scriptFor(scripts, talk.number);
    if (script.length === 0) return;
    const began = performance.now();
    const telling = await this.#telling(script);
    if (this.#wanted !== talk.call || this.#talking) return; // it ended while the sound was fetched
    const context = this.#sounds.context;
    const source = context.createBufferSource();
    source.buffer = telling;
    source.loop = true;
    source.connect(context.destination);
    // The page's clock ticks four times a second: the talk may seem not to have begun yet.
    const offset = (Math.max(0, talk.elapsedMs + performance.now() - began) / 1000) % telling.duration;
    source.start(0, offset);
    this.#talking = { call: talk.call, source };
    this.state.inCall = true;
    this.state.receivedBytes = telling.length * 2;
  }

  useServers(): void {
    // No sound goes anywhere.
  }

  stop(): void {
    this.#silence();
    this.state.registered = false;
  }

  #silence(): void {
    this.#talking?.source.stop();
    this.#talking = null;
    this.state.inCall = false;
  }

  /** The caller's lines of one telling, with silence where the agent speaks. */
  #telling(script: Line[]): Promise<AudioBuffer> {
    const key = script[0]?.url ?? "";
    const made = this.#tellings.get(key) ?? this.#make(script);
    this.#tellings.set(key, made);
    made.catch(() => this.#tellings.delete(key));
    return made;
  }

  async #make(script: Line[]): Promise<AudioBuffer> {
    const { starts, totalMs } = timed(script);
    const context = this.#sounds.context;
    const whole = context.createBuffer(1, Math.ceil((totalMs / 1000) * context.sampleRate), context.sampleRate);
    await Promise.all(
      script.map(async (line, index) => {
        if (line.who !== "caller") return;
        const reply = await fetch(line.url, { credentials: "same-origin" });
        if (!reply.ok) throw new Error(`${line.url}: ${reply.status}`);
        const sound = await context.decodeAudioData(await reply.arrayBuffer());
        whole.copyToChannel(sound.getChannelData(0), 0, Math.floor(((starts[index] ?? 0) / 1000) * context.sampleRate));
      }),
    );
    return whole;
  }
}
