// The agent's page. It shows what the server says and asks for what the agent presses; it decides nothing itself.
import { Live, callerText, clock, fill, setText, showStatus, words } from "./live.js";
import { TransferPanel } from "./transfer.js";

const CONFIRM_MS = 3000;
const NOTICE_MS = 6000;
const IN_CALL = new Set(["OFFERED", "DIALING", "TALKING", "HOLDING", "CONSULTING", "CONFERENCING"]);
const text = words();
const $ = (id) => document.getElementById(id);
const root = $("console");
const buttons = [...document.querySelectorAll("[data-action]")];
const pending = new Map(); // cmd_id -> {action, timer}
let notice = null;
let shown = { state: "", call: "" };

const live = new Live("/ws/agent/", { change: render, status: renderStatus, message: takeMessage });
const transfer = new TransferPanel($("transfer"), text, {
  directory: () => live.send({ type: "directory" }),
  choose: (kind, target) => command("transfer", { kind, target }),
});

const me = () => live.data.me?.[root.dataset.agent];
const call = () => live.data.call?.[me()?.call];
const allowed = (action) => !live.stale && live.connected && Boolean(me()?.controls.includes(action));

// --- asking -----------------------------------------------------------------------------------------------------------

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function command(action, fields = {}) {
  if (!allowed(action) || [...pending.values()].some((item) => item.action === action)) return;
  const cmd_id = newId();
  const about = ["answer", "hang_up", "hold", "resume", "transfer"].includes(action) ? { call: me().call, version: call()?.version ?? null } : {};
  if (!live.send({ type: "command", cmd_id, action, ...about, ...fields })) return;
  const timer = setTimeout(() => {
    settle(cmd_id);
    say(text.unconfirmed, "warn");
    live.resync();
  }, CONFIRM_MS);
  pending.set(cmd_id, { action, timer });
  renderControls();
}

function settle(cmd_id) {
  const item = pending.get(cmd_id);
  if (!item) return null;
  clearTimeout(item.timer);
  pending.delete(cmd_id);
  renderControls();
  return item;
}

function takeMessage(message) {
  if (message.type === "directory") { transfer.fill(message); return; }
  if (message.type !== "outcome") return;
  const item = settle(message.cmd_id);
  if (!item) return;
  if (!message.ok) {
    say(fill(text.refusals[message.code] ?? text.refusals.other, { reason: message.reason || message.code }), "warn");
  } else if (item.action === "finish") {
    clearDraft(shown.call);
    say(text.saved, "good");
  }
}

const DO = {
  sign_in: () => command("sign_in"),
  ready: () => command("ready"),
  pause: () => command("pause", { reason: $("pause-reason").value }),
  sign_out: () => command("sign_out"),
  answer: () => command("answer"),
  hang_up: () => command("hang_up"),
  hold: () => command("hold"),
  resume: () => command("resume"),
  transfer: () => { if (allowed("transfer")) transfer.toggle(); },
  extend: () => command("extend", { call: me().call }),
  finish: () => {
    const chosen = document.querySelector("[name=disposition]:checked");
    if (!allowed("finish")) return;
    if (!chosen) { say(text.choose_disposition, "warn"); document.querySelector("[name=disposition]")?.focus(); return; }
    command("finish", { call: me().call, disposition: chosen.value, note: $("note").value });
  },
};

for (const button of buttons) {
  if (button.type !== "submit" || !button.form) button.addEventListener("click", () => DO[button.dataset.action]());
}
$("wrap").addEventListener("submit", (event) => { event.preventDefault(); DO.finish(); });

/** Ready and pause share a key: it undoes what was pressed last. */
function toReady() {
  const mine = me();
  return allowed("ready") && (["PAUSED", "NOT_RESPONDING"].includes(mine.state) || ["PAUSED", "LOGGED_OUT"].includes(mine.next_state));
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat || event.altKey || event.metaKey) return;
  const key = (event.ctrlKey ? "Ctrl+" : "") + (event.shiftKey ? "Shift+" : "") + event.key;
  const action = {
    F2: "answer", "Ctrl+F2": "hang_up", F9: "transfer", "Ctrl+Enter": "finish",
    F4: allowed("extend") ? "extend" : allowed("resume") ? "resume" : "hold",
    "Ctrl+F8": toReady() ? "ready" : "pause",
  }[key];
  if (!action) return;
  event.preventDefault();
  DO[action]();
});

// --- showing ----------------------------------------------------------------------------------------------------------

function say(message, level) {
  notice = { message, level, until: performance.now() + NOTICE_MS };
  renderStatus();
}

// This page has no telephone of its own: the one it stands beside is taken to work, and to have rung.
const vouched = new Set();
function vouchForSound(mine, current) {
  if (!live.connected || mine.device !== "browser") return;
  const about = mine.media_ready ? "" : `media ${mine.media_epoch} ${mine.since_ms}`;
  if (about && mine.state !== "DISCONNECTED" && !vouched.has(about)) {
    vouched.add(about);
    live.send({ type: "command", cmd_id: newId(), action: "media", ready: true, epoch: mine.media_epoch });
  }
  const offer = mine.state === "OFFERED" && current && current.ack_deadline_ms !== null ? `ack ${current.id} ${current.offered_ms}` : "";
  if (offer && !vouched.has(offer)) {
    vouched.add(offer);
    live.send({ type: "command", cmd_id: newId(), action: "ack", call: current.id, mic: "live", audio: "running" });
  }
}

function render() {
  const mine = me();
  if (!mine) { renderControls(); return; }
  // Only the way in from the sign-in page signs the agent in; a reload does not.
  if (location.hash === "#sign-in") {
    history.replaceState(null, "", location.pathname);
    if (mine.state === "LOGGED_OUT") setTimeout(() => command("sign_in"));
  }
  if (mine.state !== shown.state || mine.call !== shown.call) announce(mine);
  vouchForSound(mine, call());
  renderState(mine);
  renderCall(mine, call());
  renderControls();
  tick();
}

function renderState(mine) {
  const box = $("state");
  box.dataset.state = mine.state;
  box.querySelector("use").setAttribute("href", `#i-${mine.state}`);
  setText(box.querySelector(".state-word"), text.states[mine.state] ?? mine.state);
  setText(box.querySelector(".state-reason"), mine.reason ? (text.reasons[mine.reason] ?? mine.reason) : "");
  const next = mine.next_state ? text.states[mine.next_state] ?? mine.next_state : "";
  const why = mine.next_reason ? ` · ${text.reasons[mine.next_reason] ?? mine.next_reason}` : "";
  $("next").dataset.nextState = mine.next_state;
  setText($("next"), next ? fill(text.next, { state: next }) + why : "");
  document.title = `${text.states[mine.state] ?? ""} · Trunkline`;
  const phone = mine.device === "" ? text.phone_none
    : mine.switch_up === false ? text.switch_down
    : fill(mine.registered === true ? text.phone_ok : mine.registered === false ? text.phone_away : text.phone_unknown, { address: mine.address });
  setText($("phone-status"), phone);
  $("phone-status").className = mine.device === "" || mine.switch_up === false || mine.registered === false ? "down" : "";
}

function renderCall(mine, live_call) {
  const kept = live_call ?? remembered(mine.call);
  if (live_call) remember(live_call);
  const card = $("call-card");
  card.dataset.empty = String(!mine.call);
  card.dataset.call = mine.call ?? "";
  const hints = { READY: text.ready_for_calls, PAUSED: text.paused_hint, LOGGED_OUT: text.signed_out_hint, NOT_RESPONDING: text.missed_hint, DISCONNECTED: text.disconnected_hint };
  setText($("call-empty"), hints[mine.state] ?? text.no_call);
  setText($("call-number"), callerText(kept?.number, text.number_hidden));
  setText($("call-name"), callerText(kept?.name, ""));
  setText($("call-queue"), kept?.queue || "–");
  setText($("call-did"), kept?.did || "–");
  $("call-rec").dataset.on = String(Boolean(live_call?.recording));
  const canAnswer = mine.controls.includes("answer");
  setText($("pick-up"), mine.state === "OFFERED" ? (canAnswer ? text.or_pick_up : text.pick_up) : "");
}

function announce(mine) {
  const before = shown.state;
  shown = { state: mine.state, call: mine.call ?? (mine.state === "WRAP_UP" ? shown.call : "") };
  if (mine.state === "OFFERED") {
    const offered = call();
    setText($("alert"), fill(text.offer, { number: callerText(offered?.number, text.number_hidden), queue: offered?.queue ?? "" }));
  } else {
    setText($("alert"), "");
    setText($("polite"), text.states[mine.state] ?? mine.state);
  }
  if (before === "OFFERED" && mine.state === "NOT_RESPONDING") say(text.missed, "bad");
  if (before === "OFFERED" && mine.state === "READY") say(text.caller_hung_up, "good");
  loadDraft(mine.call ?? "");
}

function renderControls() {
  const busy = new Set([...pending.values()].map((item) => item.action));
  for (const button of buttons) {
    const action = button.dataset.action;
    const on = Boolean(me()?.controls.includes(action));
    const holder = button.closest("[data-for]") ?? button;
    if (button.closest(".call-controls")) button.toggleAttribute("data-off", !on);
    else if (!button.closest("#wrap")) holder.hidden = !on;
    button.disabled = !allowed(action);
    button.setAttribute("aria-busy", String(busy.has(action)));
  }
  const working = IN_CALL.has(me()?.state) || me()?.state === "WRAP_UP";
  $("dispositions").disabled = !working;
  $("note").disabled = !working;
  if (!allowed("transfer")) transfer.close();
}

function renderStatus() {
  const trouble = showStatus(live, text, $("banner"), root);
  if (!trouble && notice && performance.now() < notice.until) {
    $("banner").dataset.level = notice.level;
    setText($("banner"), notice.message);
  }
  renderControls();
}

/** Timers run by the engine's clock; when its data is old they stand still. */
function tick() {
  const mine = me();
  if (!mine || live.stale) return;
  const now = live.now();
  const current = call();
  setText($("since"), mine.state === "LOGGED_OUT" ? "–" : clock(now - mine.since_ms));
  const kept = current ?? remembered(mine.call);
  setText($("call-wait"), kept ? clock((kept.bridged_ms ?? now) - (kept.queued_ms ?? kept.started_ms)) : "–");
  setText($("call-time"), kept?.bridged_ms && (current || kept.ended_ms) ? clock((current ? now : kept.ended_ms) - kept.bridged_ms) : "–");
  const left = current?.offer_deadline_ms ? (current.offer_deadline_ms - now) / (current.ring_timeout_ms || 20000) : 0;
  $("countdown").style.transform = `scaleX(${mine.state === "OFFERED" ? Math.min(1, Math.max(0, left)) : 0})`;
  const seconds = mine.state === "WRAP_UP" && mine.deadline_ms ? Math.max(0, Math.ceil((mine.deadline_ms - now) / 1000)) : null;
  setText($("wrap-left"), seconds === null ? "" : fill(text.wrap_left, { n: seconds }));
  $("wrap-left").dataset.late = String(seconds !== null && seconds <= 10);
}
setInterval(tick, 250);

// --- what must outlive a reload: the card of a call that has ended, and the draft ------------------------------------------

function remember(item) {
  const before = remembered(item.id);
  // Once bridged, the queue time is gone from the state; the card keeps it.
  const kept = { ...item, queued_ms: item.queued_ms ?? before?.queued_ms ?? null, bridged_ms: item.bridged_ms ?? before?.bridged_ms ?? null, ended_ms: live.now() };
  sessionStorage.setItem("call", JSON.stringify(kept));
}

function remembered(id) {
  const kept = JSON.parse(sessionStorage.getItem("call") ?? "null");
  return id && kept?.id === id ? kept : null;
}

function loadDraft(id) {
  const draft = JSON.parse(sessionStorage.getItem(`draft-${id}`) ?? "{}");
  $("note").value = draft.note ?? "";
  for (const radio of document.querySelectorAll("[name=disposition]")) radio.checked = radio.value === draft.disposition;
}

function saveDraft() {
  if (!shown.call) return;
  const chosen = document.querySelector("[name=disposition]:checked");
  sessionStorage.setItem(`draft-${shown.call}`, JSON.stringify({ note: $("note").value, disposition: chosen?.value ?? "" }));
}

function clearDraft(id) { sessionStorage.removeItem(`draft-${id}`); }

$("wrap").addEventListener("input", saveDraft);
