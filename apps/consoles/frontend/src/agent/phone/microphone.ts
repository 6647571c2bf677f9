/**
 * The microphone, captured for the whole time of being signed in: while it is, the browser plays every sound, does not
 * freeze the page and hardly slows its timers.
 */

import type { Microphone as Status } from "../banners";
import { best, list, remembered } from "./devices";

const FLAT = 0.002;
const FLAT_MS = 10_000;

export class Microphone {
  stream: MediaStream | null = null;
  #context: AudioContext;
  #analyser: AnalyserNode;
  #source: MediaStreamAudioSourceNode | null = null;
  #samples: Float32Array<ArrayBuffer>;
  #loudMs = performance.now();
  #ended: () => void;

  /** `ended`: the device went away; nobody asked for it. */
  constructor(context: AudioContext, ended: () => void) {
    this.#context = context;
    this.#analyser = context.createAnalyser();
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#ended = ended;
  }

  get track(): MediaStreamTrack | null {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  /** Capture; `wanted` or the best remembered one. */
  async open(wanted = ""): Promise<Status> {
    if (!navigator.mediaDevices) return "refused"; // plain http to another host
    const ids = wanted ? [wanted, ...remembered("microphone")] : remembered("microphone");
    const chosen = best(await list("audioinput"), ids);
    const processing = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: chosen ? { ...processing, deviceId: { ideal: chosen } } : processing });
      this.#take(stream);
      return "live";
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      if (name === "NotAllowedError" || name === "SecurityError") return "refused";
      if (name === "NotFoundError" || name === "OverconstrainedError" || name === "NotReadableError") return "missing";
      throw error;
    }
  }

  close(): void {
    this.#source?.disconnect();
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.stream = null;
  }

  /** Loudness now, 0 to 1. */
  level(): number {
    if (!this.stream) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let peak = 0;
    for (const sample of this.#samples) peak = Math.max(peak, Math.abs(sample));
    if (peak > FLAT) this.#loudMs = performance.now();
    return peak;
  }

  /** Nothing but silence for 10 s. Ask `level` often, and only while not muted. */
  get flat(): boolean {
    return performance.now() - this.#loudMs > FLAT_MS;
  }

  /** Count the silence from now. */
  listen(): void {
    this.#loudMs = performance.now();
  }

  #take(stream: MediaStream): void {
    this.close();
    this.stream = stream;
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
    this.listen();
    const track = this.track;
    if (track) track.onended = () => this.#ended();
  }
}
