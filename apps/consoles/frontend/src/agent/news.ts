/**
 * What the agent is told when the state changes: who calls, why it stopped ringing, what became of what they asked for.
 * Trouble that lasts is not here but in banners.ts.
 */

import { stateWord } from "$lib/states";
import { callerText } from "$lib/text";
import { errors, t } from "$lib/words";
import type { Console } from "./console.svelte";
import { CONNECTED, type Call, type Company, type Me } from "./model";
import { whyItStopped } from "./stopped";
import { c } from "./consult_words";
import { w } from "./words";

/** What the state was when it was looked at last; `state` is "" before the first time. */
export interface Before {
  state: string;
  call: string | null;
  dialed: number;
  missed: number;
}

export class News {
  /** The call that this agent hung up or gave away: nobody else did. */
  hungUp = "";
  /** The call whose wrap-up they finished: its time did not run out. */
  finished = "";
  #desk: Console;
  /** The call as this page was opened. */
  #opened: Call | null;
  #before: Before = { state: "", call: null, dialed: 0, missed: 0 };
  #rejoining = "";
  #asked: Company | null = null;
  #note: Notification | null = null;

  constructor(desk: Console, opened: Call | null) {
    this.#desk = desk;
    this.#opened = opened;
  }

  follow(me: Me): void {
    const before = this.#before;
    this.#rejoined(me);
    if (me.state !== before.state || me.call !== before.call) {
      this.#announce(me);
      this.#desk.changed(me, before);
      this.#saysWhy(me);
    }
    this.#dialed(me);
    this.#consulted(me);
    this.#before = { state: me.state, call: me.call, dialed: me.last_dial?.at_ms ?? 0, missed: me.missed ?? 0 };
  }

  /** The customer is back with the agent, or with the queue. */
  #rejoined(me: Me): void {
    const desk = this.#desk;
    const opened = this.#before.state === "" && this.#opened?.id === me.call && ["talking", "rejoining"].includes(this.#opened?.state ?? "");
    const was = this.#rejoining === me.call && me.call !== null;
    if (desk.media.rejoining) this.#rejoining = me.call ?? "";
    else if (was && CONNECTED.has(me.state)) desk.say(errors("E10"), "good", "E10");
    if (me.state === "WRAP_UP" && (was || opened) && desk.liveCall && desk.liveCall.state !== "closing") desk.say(errors("E11"), "bad", "E11");
    if (!desk.media.rejoining) this.#rejoining = "";
  }

  #announce(me: Me): void {
    if (me.state === "OFFERED") return this.#offered(me);
    this.#desk.alert = "";
    this.#desk.polite = stateWord(me.state);
    this.#note?.close();
  }

  #offered(me: Me): void {
    const call = this.#desk.liveCall;
    const number = callerText(call?.number, t("number_hidden"));
    const queue = callerText(call?.queue);
    this.#desk.alert = queue ? w("offer", { number, queue }) : w("offer_direct", { number });
    if (document.visibilityState === "visible" || !("Notification" in window) || Notification.permission !== "granted") return;
    this.#note = new Notification(w("note_title"), { body: this.#desk.alert, tag: me.call ?? "", requireInteraction: true });
    this.#note.onclick = () => {
      window.focus();
      this.#note?.close();
    };
  }

  #saysWhy(me: Me): void {
    const [before, desk] = [this.#before, this.#desk];
    const stopped = before.state === "OFFERED" && me.state === "READY";
    if (before.state === "OFFERED" && me.state === "NOT_RESPONDING") desk.say(errors("E15"), "bad", "E15");
    else if (stopped && (me.missed ?? 0) > before.missed) desk.say(w("missed_once", { n: (me.missed_limit ?? 1) - (me.missed ?? 0) }), "warn");
    else if (stopped) this.#stopped(me);
    else if (CONNECTED.has(before.state) && me.state === "WRAP_UP" && this.hungUp !== me.call && desk.notice?.code !== "E11") desk.say(errors("E16"), "good", "E16");
    else if (before.state === "WRAP_UP" && me.state === "TALKING" && before.call === me.call) desk.say(errors("E12"), "bad", "E12");
    else if (before.state === "WRAP_UP" && me.call !== before.call && before.call && this.finished !== before.call && me.disposition_required !== false) desk.say(errors("E18"), "warn", "E18");
    if (before.state && me.reason === "forced" && me.state !== before.state) desk.say(w("forced", { state: stateWord(me.state) }), "warn");
  }

  #stopped(me: Me): void {
    const said = whyItStopped(me.offer_end);
    if (said) this.#desk.say(said.text, "good", said.code);
  }

  #dialed(me: Me): void {
    const last = me.last_dial;
    if (!last || !this.#before.state || last.at_ms <= this.#before.dialed) return;
    const outcome = c.has(`outcome_${last.outcome}`) ? c(`outcome_${last.outcome}` as "outcome_busy") : last.outcome;
    if (last.outcome !== "answered") this.#desk.say(c("dial_failed", { number: callerText(last.number), outcome }), "warn");
    if (last.outcome === "busy" || last.outcome === "congestion") this.#desk.media.sounds.busy();
  }

  /** A consult that ended otherwise than the agent asked for: said why. */
  #consulted(me: Me): void {
    const company = this.#desk.liveCall?.company;
    if (company?.mine) this.#asked = company;
    else if (this.#asked && (me.state === "TALKING" || me.state === "WRAP_UP")) {
      const { name, ended, detail } = this.#asked;
      this.#asked = null;
      const why = ended === "not_reached" && c.has(`outcome_${detail}`) ? c(`outcome_${detail}` as "outcome_busy") : ended;
      if (ended === "not_reached") this.#desk.say(c("consult_not_reached", { name: callerText(name), outcome: why }), "warn", "E12");
      else if (ended === "other_left" || ended === "failed") this.#desk.say(c("consult_ended", { name: callerText(name) }), "warn");
    }
  }
}
