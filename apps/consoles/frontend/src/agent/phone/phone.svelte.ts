/**
 * What the console needs of a telephone in the page, and what it shows of it. The engine decides about calls; a phone
 * only rings, picks up when told, and carries the sound.
 */

import type { Microphone } from "../banners";
import type { Cause, Quality } from "./quality";

export class PhoneState {
  microphone = $state<Microphone>("unknown");
  /** Sound may be played: browsers want a gesture first. */
  audio = $state<"running" | "suspended">("suspended");
  /** Registered with the switch. */
  registered = $state(false);
  /** Was registered once since the page opened. */
  everRegistered = $state(false);
  inCall = $state(false);
  /** This page carries the sound of a call, or is about to: what rings counts, what died does not. */
  hasCall = $state(false);
  muted = $state(false);
  quality = $state.raw<Quality | null>(null);
  causes = $state.raw<Cause[]>([]);
  qualityBad = $state(false);
  /** Input level, 0 to 1, while somebody looks (preflight) or talks. */
  level = $state(0);
  /** The microphone that took over from one that went away, for E04. */
  replacedBy = $state("");
  /** Whether a TURN server lets us through; "" where there is none, or nobody has looked. */
  relay = $state<"" | "ok" | "bad">("");
  /** Bytes of sound received in this call: tests and the preflight want to see them grow. */
  receivedBytes = $state(0);
}

export interface Phone {
  readonly state: PhoneState;
  /** Ask for what is needed, and register. Safe to call again, e.g. after the agent allowed the microphone. */
  start(): Promise<void>;
  /** Pick up what rings; nothing when nothing does. */
  answer(): void;
  mute(on: boolean): void;
  /** Forget the call at hand without a word to the other side: its sound is dead, or it is over elsewhere. */
  drop(): void;
  useMicrophone(id: string): Promise<void>;
  useSpeaker(id: string): Promise<void>;
  /** New passwords for the TURN servers: the old ones expire. */
  useServers(servers: RTCIceServer[]): void;
  /** Everything off; the microphone is let go. */
  stop(): void;
}

/** The account of this agent's own device (apps/consoles/phone.py). */
export type Account =
  | { kind: "none" }
  | { kind: "simulated"; voices: Record<string, Line[][]> }
  | { kind: "sip"; url: string; uri: string; user: string; password: string; ice_servers: RTCIceServer[]; renew_s: number | null };

/** A line of a simulated talk. */
export interface Line {
  who: "caller" | "agent";
  url: string;
  ms: number;
}
