/**
 * The agent's console: what the server says of this agent, what may be asked, what is asked, and what is said about it.
 * It shows what the engine decided and decides nothing itself.
 */

import { type Bindings, actionsOf, clashes, keyOf, merged } from "$lib/keys";
import { Live } from "$lib/live.svelte";
import { stateWord } from "$lib/states";
import { callerText } from "$lib/text";
import { toasts } from "$lib/toasts.svelte";
import { errors, refusalText, t } from "$lib/words";
import { ABOUT_CALL, type Action, DEFAULT_KEYS, NAMES_CALL, SHOWN_BY, TOGETHER, toReady } from "./actions";
import { type Banner, banners } from "./banners";
import { MyDay } from "./day.svelte";
import { InHand } from "./in_hand.svelte";
import { Media } from "./media.svelte";
import type { Booking } from "./booking";
import { CONNECTED, type Call, type Company, IN_CALL, type Me, type PageData, WITH_CALL, dialable } from "./model";
import { News, type Before } from "./news";
import { Notes } from "./notes.svelte";
import { pageId } from "./phone/media_tab";
import { c } from "./consult_words";
import { p } from "./phone/words";
import { w } from "./words";

const NOTICE_MS = 6_000;
const KEYS = "agent-keys";
/** A notice that is done with as soon as a result is chosen. */
const CHOOSE = "choose";

interface Notice {
  text: string;
  level: Banner["level"];
  code: string;
}

export type TargetKind = Company["kind"];

export class Console {
  readonly page: PageData;
  readonly live = new Live(`/ws/agent/?page=${pageId()}`);
  readonly me = $derived(this.live.data.me ? (Object.values(this.live.data.me)[0] as Me | undefined) : undefined);
  readonly liveCall = $derived(this.me?.call ? (this.live.data.call?.[this.me.call] as Call | undefined) : undefined);
  readonly media: Media;
  readonly notes: Notes;
  readonly day = new MyDay();
  keys = $state.raw<Bindings<Action>>(DEFAULT_KEYS);
  notice = $state.raw<Notice | null>(null);
  /** One sentence, read out at once; empty when nothing rings. */
  alert = $state("");
  /** Read out when the reader has time. */
  polite = $state("");
  tab = $state<"incoming" | "wrap_up" | "to_fill">("incoming");
  transferOpen = $state(false);
  /** The call back that is being booked, in its dialog; null while there is none. */
  booking = $state.raw<Booking | null>(null);
  settingsOpen = $state(false);
  preflightOpen = $state(false);
  dialText = $state("");
  #inHand = new InHand(() => this.me, () => this.liveCall);
  #news = new News(this, this.#inHand.opened);
  /** Why the last command was not done: of no interest once another one is given. */
  #refusal: Notice | null = null;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;
  #heldFor = "";
  /** Focus the dialling box; set by its component. */
  focusDial: () => void = () => {};
  /** Open the list of pause reasons; set by its component. */
  openReasons: () => void = () => {};

  constructor(page: PageData) {
    this.page = page;
    this.media = new Media(this.live, page.agent, () => this.me, () => this.liveCall);
    this.notes = new Notes(this.live, () => this.me);
    this.keys = merged(DEFAULT_KEYS, JSON.parse(localStorage.getItem(KEYS) ?? "null"));
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("beforeunload", (event) => {
      if (IN_CALL.has(this.me?.state ?? "")) event.preventDefault();
    });
  }

  // --- what is shown -------------------------------------------------------------------------------------------------

  /** The call at hand, also when the switch has none any more and only its wrap-up is left. */
  get call(): Call | undefined {
    return this.#inHand.call;
  }

  /** When the call at hand was over for this agent, on the engine's clock; null while it is not. */
  get endedMs(): number | null {
    return this.#inHand.endedMs;
  }

  get pauseReasons(): Record<string, string> {
    return Object.fromEntries(this.page.pause_reasons.map((reason) => [reason.code, reason.name]));
  }

  get banners(): Banner[] {
    const { live, media, me } = this;
    const browserPhone = me?.device === "browser";
    const phone = media.state;
    const registered = browserPhone && media.holding === "owner" ? !phone?.everRegistered || phone.registered : me?.registered !== false;
    return banners({
      closed: live.closed,
      connected: live.connected,
      engine: live.engine,
      stale: live.stale,
      ageSeconds: live.ageSeconds,
      browserPhone,
      place: media.place,
      microphone: media.microphone,
      rejoining: media.rejoining,
      phoneLost: me?.switch_up === false || !registered,
      signedIn: me !== undefined && me.state !== "LOGGED_OUT",
      suspended: me?.blocked === "suspended",
      pauseOver: me?.pause?.over === true,
      line: !me?.line ? "" : me.state === "PAUSED" && me.reason.startsWith("line_") ? "gone" : me.state === "READY" && me.line === "dialing" ? "dialing" : "",
      masked: CONNECTED.has(me?.state ?? "") && Boolean(this.call?.masked_ms),
      recordingFailed: CONNECTED.has(me?.state ?? "") && Boolean(this.call?.recording_failed),
      quality: (phone?.causes ?? []).map((cause) => p(`cause_${cause}`)).join(", "),
      qualityBad: phone?.qualityBad ?? false,
    });
  }

  bannerText(banner: Banner): string {
    if (w.has(banner.code)) return w(banner.code, banner.values);
    return t.has(banner.code) ? t(banner.code, banner.values) : errors.has(banner.code) ? errors(banner.code, banner.values) : banner.code;
  }

  /** Seconds until wrap-up ends, or null. */
  get wrapLeft(): number | null {
    const { me } = this;
    return me?.state === "WRAP_UP" && me.deadline_ms ? Math.max(0, Math.ceil((me.deadline_ms - this.live.now) / 1000)) : null;
  }

  /** Whether the browser's own microphone is meant by "mute", else the switch's. */
  get mutesHere(): boolean {
    return this.me?.device === "browser" && this.media.phone !== null;
  }

  get muted(): boolean {
    if (!CONNECTED.has(this.me?.state ?? "")) return false;
    return this.mutesHere ? (this.media.state?.muted ?? false) : (this.call?.muted ?? false);
  }

  // --- what can be done ----------------------------------------------------------------------------------------------

  can(action: string): boolean {
    if (!this.live.ok || !this.me) return action === "mute" && this.mutesHere && CONNECTED.has(this.me?.state ?? "");
    // One key for both: of a desk phone the engine lists only the one that is possible now.
    if (action === "mute" || action === "unmute") return CONNECTED.has(this.me.state) && (this.mutesHere || ["mute", "unmute"].some((either) => this.me?.controls.includes(either)));
    if (action === "ready" && this.me.device === "browser" && !this.media.ready) return false;
    // Not about the call at hand, so no state has it among its controls.
    if (action === "complete") return true;
    return this.me.controls.includes(action);
  }

  busy(action: string): boolean {
    return this.live.busy.has(action);
  }

  async command(action: string, fields: Record<string, unknown> = {}): Promise<boolean> {
    const { me } = this;
    if (!me || !this.can(action)) return false;
    if (this.notice === this.#refusal) this.notice = null;
    const before = { me, call: this.liveCall };
    const about = ABOUT_CALL.has(action) ? { call: me.call, version: this.liveCall?.version ?? null } : NAMES_CALL.has(action) ? { call: me.call } : {};
    const shown = () => SHOWN_BY[action]?.({ me: this.me, call: this.liveCall }, before) ?? true;
    const outcome = await this.live.command(action, { ...about, ...fields }, shown);
    if (!outcome.ok) this.#refused(outcome.code, outcome.reason);
    return outcome.ok;
  }

  readonly actions: Record<Action, () => void> = {
    answer: () => void this.command("answer"),
    decline: () => void this.command("decline"),
    hang_up: () => {
      if (this.me?.state !== "CONSULTING") this.#news.hungUp = this.me?.call ?? "";
      void this.command("hang_up");
    },
    hold: () => void this.command(this.me?.state === "CONSULTING" ? "consult_swap" : this.me?.state === "HOLDING" ? "resume" : "hold"),
    merge: () => void this.command("three_way"),
    extend: () => void this.command("extend"),
    mute: () => this.toggleMute(),
    mask: () => void this.command(this.call?.masked_ms ? "unmask" : "mask"),
    transfer: () => {
      if (this.me?.state === "CONSULTING") void this.completeConsult();
      else if (this.can("transfer")) this.transferOpen = !this.transferOpen;
    },
    ready_pause: () => {
      if (this.me) void (toReady(this.me) ? this.command("ready") : this.pause());
    },
    pause_reason: () => this.openReasons(),
    search: () => this.focusDial(),
    finish: () => void this.finish(),
  };

  pause(reason = ""): Promise<boolean> {
    return this.command("pause", { reason });
  }

  signIn(): Promise<boolean> {
    return this.command("sign_in");
  }

  signOut(): void {
    this.media.signedOut();
    void this.command("sign_out");
  }

  toggleMute(): void {
    if (!this.can("mute")) return;
    if (this.mutesHere) this.media.mute(!this.muted);
    else void this.command(this.muted ? "unmute" : "mute");
  }

  async finish(): Promise<void> {
    if (!this.can("finish")) return;
    if (!this.notes.disposition && this.me?.disposition_required !== false) {
      this.say(w("choose_disposition"), "warn", CHOOSE);
      document.querySelector<HTMLElement>("[data-testid=disposition-search]")?.focus();
      return;
    }
    const call = this.me?.call ?? "";
    this.#news.finished = call;
    if (!(await this.command("finish", { disposition: this.notes.disposition, note: this.notes.note }))) return;
    await this.notes.done(call);
    toasts.say(w("finished"));
  }

  /** A result was chosen, or a note written. */
  noted(): void {
    this.notes.changed();
    if (this.notes.disposition && this.notice?.code === CHOOSE) this.notice = null;
  }

  async dial(text: string, customer = "", callerId = ""): Promise<boolean> {
    const number = dialable(text);
    if (!number) {
      this.say(w("not_a_number"), "warn");
      return false;
    }
    return this.command("dial", { number, ...(customer ? { customer } : {}), ...(callerId ? { caller_id: callerId } : {}) });
  }

  /** Refused, the search stays open: somebody else is asked instead. */
  async consult(kind: TargetKind, target: string, note: string): Promise<void> {
    this.transferOpen = !(await this.command("consult", { kind, target, ...(note ? { note } : {}) }));
  }

  async completeConsult(): Promise<void> {
    const name = callerText(this.call?.company?.name);
    this.#news.hungUp = this.me?.call ?? "";
    if (await this.command("consult_complete")) toasts.say(c("transfer_done", { name }));
  }

  async transfer(kind: TargetKind, target: string, name: string, note: string): Promise<void> {
    this.#news.hungUp = this.me?.call ?? "";
    this.transferOpen = !(await this.command("transfer", { kind, target, ...(note ? { note } : {}) }));
    if (this.transferOpen) this.#news.hungUp = "";
    else toasts.say(c("transfer_done", { name }));
  }

  /** Give an action another key. Returns what is wrong with that key, or "". */
  bind(action: Action, key: string): string {
    const wanted = { ...this.keys, [action]: key };
    if (clashes(wanted, TOGETHER).includes(action)) return w("keys_clash");
    this.keys = wanted;
    localStorage.setItem(KEYS, JSON.stringify(wanted));
    return "";
  }

  resetKeys(): void {
    this.keys = DEFAULT_KEYS;
    localStorage.removeItem(KEYS);
  }

  /** For who is on the line, or was; else for whoever is typed in. */
  book(): void {
    const { call } = this;
    this.booking = { number: dialable(call?.callback?.number || (call?.number ?? "")), name: call?.name ?? "", queue: call?.queue ?? "" };
  }

  say(text: string, level: Banner["level"], code = ""): void {
    this.notice = { text, level, code };
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => (this.notice = null), NOTICE_MS);
  }

  // --- what follows from a new state; called in an effect --------------------------------------------------------------

  follow(): void {
    const { me } = this;
    if (!me) return;
    this.#signInOnce(me);
    this.#inHand.remember();
    this.#microphone(me);
    this.media.acknowledge(this.liveCall);
    this.#news.follow(me);
    if (!this.can("transfer")) this.transferOpen = false;
  }

  /** What else a new state or another call brings with it, besides the news. */
  changed(me: Me, before: Before): void {
    if (me.state === "WRAP_UP" && before.state !== "WRAP_UP") this.tab = "wrap_up";
    else if (WITH_CALL.has(me.state) && me.call !== before.call) this.tab = "incoming";
    // The sound of a line that is kept open goes on with the next caller, who is to hear this agent.
    if (me.line && before.call && (me.call !== before.call || me.state === "WRAP_UP")) this.media.mute(false);
    if (WITH_CALL.has(me.state)) void this.notes.begin(me.call ?? "", this.call);
    if (before.state && me.state !== before.state) this.day.soon();
    document.title = `${me.state === "OFFERED" ? "☎ " : ""}${stateWord(me.state)} · Trunkline`;
  }

  /** A headset that went away in mid-call: another one took over, or the customer hears music until there is one. */
  #microphone(me: Me): void {
    const phone = this.media.state;
    if (!phone) return;
    if (phone.replacedBy && phone.microphone === "live") {
      this.say(errors("E04", { d: phone.replacedBy }), "warn", "E04");
      phone.replacedBy = "";
    }
    if (me.state !== "TALKING" || phone.microphone !== "missing" || !phone.hasCall) this.#heldFor = "";
    else if (this.#heldFor !== me.call && this.can("hold")) {
      this.#heldFor = me.call ?? "";
      void this.command("hold");
    }
  }

  /** Only the way in from the sign-in page signs the agent in; a reload does not. */
  #signInOnce(me: Me): void {
    if (location.hash !== "#sign-in") return;
    history.replaceState(null, "", location.pathname);
    if (me.state === "LOGGED_OUT") setTimeout(() => void this.signIn());
  }

  #refused(code: string, reason: string): void {
    if (code === "not_sent") return; // the line's own banner says it, or the first click is still under way
    const shown = { unconfirmed: "E07", stale: "E19", not_permitted: "E20", barred: "E24", media_moved: "E05" }[code] ?? "";
    this.say(refusalText(code, reason), "warn", shown);
    this.#refusal = this.notice;
  }

  #key(event: KeyboardEvent): void {
    if (event.repeat || event.defaultPrevented) return;
    const actions = actionsOf(this.keys, keyOf(event));
    const action = actions.find((item) => this.#possible(item)) ?? actions[0];
    if (!action) return;
    event.preventDefault();
    if (this.#possible(action)) this.actions[action]();
  }

  #possible(action: Action): boolean {
    if (action === "hold") return this.can("hold") || this.can("resume") || this.can("consult_swap");
    if (action === "transfer") return this.can("transfer") || this.can("consult_complete");
    if (action === "merge") return this.can("three_way");
    if (action === "mask") return this.can("mask") || this.can("unmask");
    if (action === "ready_pause") return this.can("ready") || this.can("pause");
    if (action === "pause_reason") return this.can("pause");
    return action === "search" || this.can(action);
  }
}
