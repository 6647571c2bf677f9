/** The telephone in the browser: JsSIP over the switch's WebSocket. */

import type { RTCSession } from "jssip/lib/RTCSession";
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent, UA } from "jssip/lib/UA";
import { remember } from "./devices";
import { Microphone } from "./microphone";
import { type Account, type Phone, PhoneState } from "./phone.svelte";
import { lookForRelay } from "./relay";
import { type Counters, Watch, sampleOf } from "./quality";
import type { Sounds } from "./sounds";

type SipAccount = Extract<Account, { kind: "sip" }>;
interface Request {
  method: string;
  getHeader(name: string): string | undefined;
  reply(code: number): void;
}

/** Gathering waits for STUN servers that do not answer; what was found by then must do. */
const GATHER_MS = 800;
const REGISTER_S = 60;
/** Sound that has not come back so long after a change of network is dead. */
const MEND_MS = 3_000;
/** Sound that stops for a moment mends itself. */
const STUTTER_MS = 1_500;
/** Nothing heard for so long, looked at each second: the browser itself notices only after five or more. */
const SILENT_MS = 2_500;

function soundFlows(session: RTCSession | null): boolean {
  const connection = session?.connection as RTCPeerConnection | undefined;
  return connection !== undefined && ["connected", "completed"].includes(connection.iceConnectionState);
}

export class SipPhone implements Phone {
  readonly state = new PhoneState();
  #account: SipAccount;
  #servers: RTCIceServer[];
  #sounds: Sounds;
  #microphone: Microphone;
  #speaker = new Audio();
  #ua: UA | null = null;
  /** A start under way: a second one joins it, so that nothing is registered twice. */
  #starting: Promise<void> | null = null;
  #stopped = false;
  #session: RTCSession | null = null;
  #counters: Counters = { received: 0, lost: 0 };
  #watch = new Watch();
  #timer: ReturnType<typeof setInterval>;
  #mending: ReturnType<typeof setTimeout> | undefined;
  #heardMs = 0;
  #wasMuted: () => boolean;

  /** `wasMuted`: whether the call that is about to be picked up was muted before the page was loaded anew. */
  constructor(account: SipAccount, sounds: Sounds, wasMuted: () => boolean) {
    this.#account = account;
    this.#servers = account.ice_servers;
    this.#sounds = sounds;
    this.#wasMuted = wasMuted;
    this.#microphone = new Microphone(sounds.context, () => void this.#replaceMicrophone());
    this.#speaker.autoplay = true;
    this.#timer = setInterval(() => void this.#eachSecond(), 1_000);
    navigator.mediaDevices?.addEventListener("devicechange", this.#devicesChanged);
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    return this.#starting;
  }

  /** The browser may take its time to ask for the microphone; meanwhile the page may have lost the sound again. */
  async #start(): Promise<void> {
    if (this.state.microphone !== "live") this.state.microphone = await this.#microphone.open();
    this.state.audio = (await this.#sounds.wake()) ? "running" : "suspended";
    if (!this.#ua && !this.#stopped) await this.#register();
    if (this.#stopped) this.stop();
    else void lookForRelay(this.#servers).then((found) => (this.state.relay = found));
  }

  answer(): void {
    const session = this.#session;
    if (!session || session.direction !== "incoming" || !session.isInProgress() || !this.#microphone.stream) return;
    if (this.#wasMuted()) this.mute(true);
    session.answer({ mediaStream: this.#microphone.stream, pcConfig: { iceServers: this.#servers } });
  }

  drop(): void {
    const session = this.#session;
    if (!session) return;
    (session.connection as RTCPeerConnection | undefined)?.close();
    this.#over();
  }

  mute(on: boolean): void {
    const track = this.#microphone.track;
    if (track) track.enabled = !on;
    this.state.muted = on;
    this.#microphone.listen();
  }

  async useMicrophone(id: string): Promise<void> {
    remember("microphone", id);
    this.state.microphone = await this.#microphone.open(id);
    await this.#send();
  }

  async useSpeaker(id: string): Promise<void> {
    remember("speaker", id);
    await this.#speaker.setSinkId?.(id);
  }

  useServers(servers: RTCIceServer[]): void {
    this.#servers = servers;
    const connection = this.#session?.connection as RTCPeerConnection | undefined;
    connection?.setConfiguration({ ...connection.getConfiguration(), iceServers: servers });
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.drop(); // no BYE: whoever moved the sound elsewhere goes on talking there
    navigator.mediaDevices?.removeEventListener("devicechange", this.#devicesChanged);
    this.#ua?.stop();
    this.#ua = null;
    this.#microphone.close();
    this.state.microphone = "unknown";
    this.state.registered = false;
  }

  // --- SIP -----------------------------------------------------------------------------------------------------------

  async #register(): Promise<void> {
    const { default: JsSIP } = await import("jssip");
    const ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(this.#account.url)],
      uri: this.#account.uri,
      authorization_user: this.#account.user,
      password: this.#account.password,
      register_expires: REGISTER_S,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: "Trunkline console",
    });
    ua.on("registered", () => {
      this.state.registered = true;
      this.state.everRegistered = true;
      // The line was lost, perhaps with the network below the sound; sound that goes on is left alone.
      if (!soundFlows(this.#session)) this.#mend();
      else setTimeout(() => performance.now() - this.#heardMs > SILENT_MS && this.#mend(), STUTTER_MS);
    });
    ua.on("unregistered", () => (this.state.registered = false));
    ua.on("registrationFailed", () => (this.state.registered = false));
    ua.on("disconnected", () => (this.state.registered = false));
    ua.on("newRTCSession", (event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => {
      if (event.originator === "remote") this.#arrived(event.session as RTCSession, event.request as unknown as Request);
    });
    ua.start();
    this.#ua = ua;
  }

  #arrived(session: RTCSession, request: Request): void {
    if (this.#session && !this.#session.isEnded()) {
      session.terminate({ status_code: 486 });
      return;
    }
    this.#session = session;
    this.state.hasCall = true;
    this.#neverHangUp(session);
    this.#counters = { received: 0, lost: 0 };
    this.#watch = new Watch();
    this.#answerWhenTold(session);
    let gathering: ReturnType<typeof setTimeout> | undefined;
    session.on("icecandidate", (event) => {
      gathering ??= setTimeout(() => event.ready(), GATHER_MS);
    });
    session.on("peerconnection", (event) => this.#play(event.peerconnection));
    session.on("confirmed", () => {
      this.state.inCall = true;
      this.#heardMs = performance.now();
      this.#microphone.listen();
    });
    const over = () => {
      clearTimeout(gathering);
      if (this.#session === session) clearTimeout(this.#mending);
      if (this.#session === session) this.#over();
    };
    session.on("ended", over);
    session.on("failed", over);
    // The engine rings with this when nobody needs to press anything: a dialled call, an automatic answer.
    if (/answer-after\s*=\s*0/i.test(request.getHeader("Call-Info") ?? "") || /answer-after\s*=\s*0|Auto Answer/i.test(request.getHeader("Alert-Info") ?? "")) {
      this.#sounds.zip();
      this.answer();
    }
  }

  /** The switch asks a ringing phone to pick up by NOTIFY with `Event: talk`; JsSIP refuses that before the answer. */
  #answerWhenTold(session: RTCSession): void {
    const inner = session as unknown as { receiveRequest(request: Request): void };
    const receive = inner.receiveRequest.bind(session);
    inner.receiveRequest = (request) => {
      if (request.method !== "NOTIFY" || request.getHeader("Event") !== "talk") {
        receive(request);
        return;
      }
      request.reply(200);
      this.answer();
    };
  }

  /**
   * JsSIP says BYE when the sound fails, when a new offer fails, and when it is stopped. Who talks with whom is the
   * engine's: to us such a call is dead, and the page asks for another in its place.
   */
  #neverHangUp(session: RTCSession): void {
    const terminate = session.terminate.bind(session);
    session.terminate = (options) => {
      if (!session.isEstablished()) terminate(options);
      else if (this.#session === session) this.drop();
    };
  }

  /** The network may have changed: find another way for the sound within the same call, or give it up. */
  #mend(): void {
    const session = this.#session;
    const connection = session?.connection as RTCPeerConnection | undefined;
    if (!session?.isEstablished() || !connection) return;
    clearTimeout(this.#mending);
    session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
    this.#mending = setTimeout(() => {
      if (this.#session === session && !soundFlows(session)) this.drop();
    }, MEND_MS);
  }

  #play(connection: RTCPeerConnection): void {
    connection.addEventListener("iceconnectionstatechange", () => {
      if (connection.iceConnectionState !== "disconnected") return;
      setTimeout(() => {
        if (connection.iceConnectionState === "disconnected" && this.state.registered) this.#mend();
      }, STUTTER_MS);
    });
    connection.addEventListener("track", (event) => {
      this.#speaker.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      this.#speaker.play().catch((error: unknown) => {
        console.warn("sound not allowed yet", error);
        this.state.audio = "suspended";
      });
    });
  }

  #over(): void {
    clearTimeout(this.#mending);
    this.#session = null;
    this.state.hasCall = false;
    this.#speaker.srcObject = null;
    this.mute(false);
    this.state.inCall = false;
    this.state.quality = null;
    this.state.causes = [];
    this.state.qualityBad = false;
    this.state.receivedBytes = 0;
  }

  // --- sound ---------------------------------------------------------------------------------------------------------

  async #eachSecond(): Promise<void> {
    this.state.level = this.#microphone.level();
    const connection = this.#session?.connection as RTCPeerConnection | undefined;
    if (!this.state.inCall || !connection) return;
    const report = await connection.getStats();
    const entries = [...(report as unknown as Map<string, Record<string, unknown>>)];
    const { sample, counters } = sampleOf(entries, this.#counters);
    this.#counters = counters;
    const { quality, causes, bad } = this.#watch.add(sample);
    this.state.quality = quality;
    this.state.causes = causes;
    this.state.qualityBad = bad;
    const bytes = entries.reduce((sum, [, item]) => sum + (item.type === "inbound-rtp" ? Number(item.bytesReceived ?? 0) : 0), 0);
    if (bytes !== this.state.receivedBytes) this.#heardMs = performance.now();
    this.state.receivedBytes = bytes;
    if (!this.state.muted) this.#noteSilence();
  }

  #noteSilence(): void {
    if (this.state.microphone === "live" && this.#microphone.flat) this.state.microphone = "silent";
    else if (this.state.microphone === "silent" && !this.#microphone.flat) this.state.microphone = "live";
  }

  #devicesChanged = () => {
    if (this.#microphone.track?.readyState === "ended") void this.#replaceMicrophone();
  };

  /** The headset was pulled out: the next one that is there takes over within the same call. */
  async #replaceMicrophone(): Promise<void> {
    this.state.microphone = await this.#microphone.open();
    this.state.replacedBy = this.#microphone.track?.label ?? "";
    await this.#send();
  }

  async #send(): Promise<void> {
    const track = this.#microphone.track;
    const connection = this.#session?.connection as RTCPeerConnection | undefined;
    if (!track || !connection) return;
    track.enabled = !this.state.muted;
    const sender = connection.getSenders().find((item) => item.track?.kind === "audio" || item.track === null);
    await sender?.replaceTrack(track);
  }
}
