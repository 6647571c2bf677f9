/** The page's telephone and its place: which tab has the sound, whether it is ready, and what it should play. */

import { Problem, request } from "$lib/http";
import type { Live } from "$lib/live.svelte";
import type { MediaPlace, Microphone } from "./banners";
import { CONNECTED, type Call, IN_CALL, type Me, hearsCustomer } from "./model";
import type { Account, Phone, PhoneState } from "./phone/phone.svelte";
import { best, list, remembered } from "./phone/devices";
import { type Holding, MediaTab } from "./phone/media_tab";
import { SimulatedPhone } from "./phone/simulated";
import { SipPhone } from "./phone/sip";
import { Sounds } from "./phone/sounds";

const RETRY_MS = 5_000;
const TELL_AGAIN_MS = 500;
const LOOK_MS = 500;
/** The end of a call travels by two ways, to the telephone and to the page: neither is in a hurry. */
const SETTLE_MS = 1_500;
const REJOIN_AGAIN_MS = 2_500;
const MUTED = "agent-muted";

export class Media {
  phone = $state.raw<Phone | null>(null);
  account = $state.raw<Account | null>(null);
  holding = $state<Holding>("waiting");
  moved = $state(false);
  readonly sounds = new Sounds();
  readonly tab: MediaTab;
  #live: Live;
  #me: () => Me | undefined;
  #call: () => Call | undefined;
  #epoch = 0;
  /** The server knows that this page has the sound. */
  claimed = $state(false);
  #acked = "";
  #asking = false;
  /** Since when the telephone and the engine disagree on whether there is a call; 0 while they agree. */
  #oddSince = 0;
  #rejoinAsked = 0;
  #hadCall = false;
  #zipped = "";
  #renewing: ReturnType<typeof setInterval> | undefined;

  constructor(live: Live, agent: string, me: () => Me | undefined, call: () => Call | undefined) {
    this.#live = live;
    this.#me = me;
    this.#call = call;
    this.tab = new MediaTab(agent, (holding) => {
      this.holding = holding;
      if (holding === "owner") void this.begin();
      else this.#end();
    });
    this.holding = this.tab.holding;
    void this.#fetchAccount();
    // A sound card may take its time, and a browser may stop the sound later.
    this.sounds.context.onstatechange = () => {
      if (this.state) this.state.audio = this.sounds.running ? "running" : "suspended";
    };
    setInterval(() => this.mend(), LOOK_MS);
    // Browsers let a page speak after any gesture: take the first one.
    for (const kind of ["pointerdown", "keydown"] as const) addEventListener(kind, () => this.#woken(), { capture: true });
  }

  // --- what is shown -------------------------------------------------------------------------------------------------

  get state(): PhoneState | null {
    return this.phone?.state ?? null;
  }

  get place(): MediaPlace {
    if (this.moved) return "moved";
    return this.holding === "other" ? "other_tab" : this.holding;
  }

  get microphone(): Microphone {
    return this.state?.microphone ?? "unknown";
  }

  /** All that offers need works: microphone, sound, registration. */
  get good(): boolean {
    const state = this.state;
    return state !== null && (state.microphone === "live" || state.microphone === "silent") && state.audio === "running" && state.registered;
  }

  /** The browser plays no sound yet: it wants to be clicked first. */
  get wantsClick(): boolean {
    return this.state?.registered === true && this.state.audio === "suspended" && this.#me()?.state !== "LOGGED_OUT";
  }

  /** Calls can reach this agent by the device they have. */
  get ready(): boolean {
    const me = this.#me();
    if (me?.device !== "browser") return true;
    return me.media_ready ?? this.good;
  }

  /** The customer waits with music until this agent's telephone is there again. */
  get rejoining(): boolean {
    const me = this.#me();
    if (me?.device !== "browser" || !CONNECTED.has(me.state)) return false;
    const lost = this.account?.kind === "sip" && this.holding === "owner" && !this.moved && !this.state?.hasCall;
    return lost || Boolean(this.#call()?.rejoin_until_ms);
  }

  // --- what follows from the state -----------------------------------------------------------------------------------

  /** Call it in an effect: tells the server of this page's sound, and hears when another page took it. */
  follow(): void {
    const me = this.#me();
    if (!me || me.device !== "browser" || !this.#live.ok || this.holding !== "owner" || this.moved) return;
    if (!this.claimed) void this.#claim();
    else if (me.media_page !== undefined && me.media_page !== this.tab.id && (me.media_epoch ?? 0) > this.#epoch) this.#movedAway();
    else if (this.#alive(me) !== me.media_ready) void this.#tell(this.#alive(me));
  }

  /**
   * A talk without sound in the page that should have it: it was loaded anew, or the network changed under it. The
   * engine calls it back. And sound without a talk: the end of the call did not reach this telephone.
   */
  mend(): void {
    const me = this.#me();
    const state = this.state;
    if (!me || !state || me.device !== "browser" || !this.#live.ok || !this.claimed || this.moved) return;
    const talks = CONNECTED.has(me.state);
    this.#hadCall ||= state.hasCall;
    // A line that is kept open carries sound between talks as well.
    const odd = talks !== state.hasCall && (talks || (!me.line && state.inCall && !IN_CALL.has(me.state)));
    if (!odd) {
      this.#oddSince = 0;
      return;
    }
    this.#oddSince ||= performance.now();
    const settled = performance.now() - this.#oddSince >= SETTLE_MS;
    if (!talks && settled) this.phone?.drop();
    else if (talks && this.good && (settled || !this.#hadCall)) this.#rejoin(me.call ?? "");
  }

  /** On this page alone, at once; it outlives a reload. */
  mute(on: boolean): void {
    this.phone?.mute(on);
    if (on) sessionStorage.setItem(MUTED, this.#me()?.call ?? "");
    else sessionStorage.removeItem(MUTED);
  }

  #rejoin(call: string): void {
    if (performance.now() - this.#rejoinAsked < REJOIN_AGAIN_MS) return;
    this.#rejoinAsked = performance.now();
    void this.#live.command("rejoin", { call });
  }

  /** Answer an offer's question at once: is there a live microphone, may sound be played? */
  acknowledge(call: Call | undefined): void {
    const me = this.#me();
    if (me?.state !== "OFFERED" || me.device !== "browser" || !call?.offered_ms || call.acknowledged || this.holding !== "owner") return;
    const offer = `${call.id}/${call.offered_ms}`;
    if (offer === this.#acked) return;
    this.#acked = offer;
    const microphone = this.microphone === "silent" ? "live" : this.microphone;
    void this.#live.command("ack", { call: call.id, mic: microphone, audio: this.state?.audio ?? "suspended" });
  }

  /** Ring, ringing tone, or the simulated caller's voice. */
  play(call: Call | undefined, now: number): void {
    const me = this.#me();
    const mine = me?.device === "browser" && this.holding === "owner";
    if (mine && me.state === "OFFERED" && !call?.auto_answer) this.sounds.ring();
    else if (mine && me.state === "DIALING" && call?.dial?.ringing && this.phone instanceof SimulatedPhone) this.sounds.ringback();
    else {
      this.sounds.quiet("ring");
      this.sounds.quiet("ringback");
    }
    if (!(this.phone instanceof SimulatedPhone)) return;
    // It is called before a talk that nobody needs to accept; a real telephone makes this sound when it picks up.
    const comes = mine && me.state === "OFFERED" && call?.auto_answer ? call.id : "";
    if (comes && comes !== this.#zipped) this.sounds.zip();
    this.#zipped = comes;
    const heard = mine && call && hearsCustomer(me, call);
    const elapsedMs = heard ? now - (call.talking_ms ?? now) - (call.hold_total_ms ?? 0) : 0;
    void this.phone.hear(heard ? { call: call.id, number: call.number, lang: call.lang, elapsedMs } : null);
  }

  // --- what people ask for -------------------------------------------------------------------------------------------

  /** "Move audio here", also after another computer had it. */
  moveHere(): void {
    this.moved = false;
    this.claimed = false;
    this.tab.take();
    if (this.holding === "owner") void this.begin();
  }

  /** Once more through permission, microphone, sound and registration. */
  async begin(): Promise<void> {
    if (!this.#owns()) return;
    const account = this.account ?? (await this.#fetchAccount());
    if (!account || account.kind === "none" || !this.#owns()) return; // the sound may have moved meanwhile
    const made = this.phone === null;
    const phone = (this.phone ??= this.#phoneOf(account));
    const ring = made ? best(await list("audiooutput"), remembered("ring")) : "";
    if (ring) await this.sounds.useSpeaker(ring);
    if (this.phone === phone) await phone.start();
  }

  #owns(): boolean {
    return this.holding === "owner" && !this.moved;
  }

  #phoneOf(account: Exclude<Account, { kind: "none" }>): Phone {
    if (account.kind === "simulated") return new SimulatedPhone(account.voices, this.sounds, () => this.#wasMuted());
    return new SipPhone(account, this.sounds, () => this.#wasMuted());
  }

  signedOut(): void {
    this.tab.forget();
  }

  async #fetchAccount(): Promise<Account | null> {
    try {
      this.account ??= await request<Account>("POST", "/agent/phone/");
      this.#renewLater();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setTimeout(() => void this.begin(), RETRY_MS);
    }
    return this.account;
  }

  /** Passwords of TURN servers expire; one fetch that fails is made good by the next. */
  #renewLater(): void {
    const renewS = this.account?.kind === "sip" ? this.account.renew_s : null;
    if (!renewS || this.#renewing) return;
    this.#renewing = setInterval(() => void this.#renew(), renewS * 1_000);
  }

  async #renew(): Promise<void> {
    try {
      const account = await request<Account>("POST", "/agent/phone/");
      if (account.kind === "sip") this.phone?.useServers(account.ice_servers);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  async #claim(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const outcome = await this.#live.command("media_claim", { page: this.tab.id }, () => this.#me()?.media_page === this.tab.id);
    this.#asking = false;
    if (!outcome.ok) {
      this.#again();
      return;
    }
    this.#epoch = this.#me()?.media_epoch ?? 0;
    this.claimed = true;
  }

  /** Also a telephone whose line broke while its sound goes on: the engine takes a talk from one that is not. */
  #alive(me: Me): boolean {
    return this.good || (CONNECTED.has(me.state) && this.state?.inCall === true);
  }

  async #tell(ready: boolean): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const outcome = await this.#live.command("media", { ready, epoch: this.#epoch }, () => this.#me()?.media_ready === ready);
    this.#asking = false;
    if (outcome.code === "media_moved") this.#movedAway();
    else this.#again(); // what is good may have changed meanwhile, or the engine has not heard it
  }

  #again(): void {
    setTimeout(() => this.follow(), TELL_AGAIN_MS);
  }

  #movedAway(): void {
    this.moved = true;
    this.tab.yield();
    this.#end();
  }

  #end(): void {
    this.phone?.stop();
    this.phone = null;
    this.claimed = false;
    this.sounds.quiet();
  }

  #wasMuted(): boolean {
    const call = this.#me()?.call;
    return Boolean(call) && sessionStorage.getItem(MUTED) === call;
  }

  #woken(): void {
    const state = this.state;
    if (state && state.audio !== "running") void this.sounds.wake();
  }
}
