// The line to the server: a snapshot, then numbered deltas; on a gap a new snapshot. The server owns all state.

const STALE_MS = 5000;
const CLOSED_FOR_GOOD = new Set([4401, 4403]);

export class Live {
  /** @param {string} path  @param {{change: Function, status: Function, message?: Function}} on */
  constructor(path, on) {
    this.path = path;
    this.on = on;
    this.data = {};
    this.seq = null;
    this.epoch = null;
    this.offsetMs = 0; // the engine's clock minus ours
    this.engine = { reachable: false, loaded: false, age_s: 0 };
    this.connected = false;
    this.closed = 0;
    this.heardAt = performance.now();
    this.retryMs = 250;
    this.waitingForSnapshot = true;
    this.connect();
    setInterval(() => this.on.status(), 1000);
  }

  now() { return Date.now() + this.offsetMs; }

  /** Whole seconds since the engine was last heard, through this socket. */
  ageSeconds() {
    return Math.round((performance.now() - this.heardAt) / 1000 + (this.engine.reachable ? 0 : this.engine.age_s));
  }

  get stale() {
    return !this.engine.loaded || !this.engine.reachable || performance.now() - this.heardAt > STALE_MS;
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.socket = socket;
    socket.onopen = () => { this.connected = true; this.retryMs = 250; this.on.status(); };
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.connected = false;
      this.waitingForSnapshot = true;
      if (CLOSED_FOR_GOOD.has(event.code)) this.closed = event.code;
      else {
        setTimeout(() => this.connect(), this.retryMs * (0.7 + Math.random() * 0.6));
        this.retryMs = Math.min(this.retryMs * 2, 4000);
      }
      this.on.status();
    };
  }

  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  resync() {
    if (this.waitingForSnapshot) return;
    this.waitingForSnapshot = true;
    this.send({ type: "resync" });
  }

  take(message) {
    this.heardAt = performance.now();
    if (message.engine_ts) this.offsetMs = message.engine_ts - Date.now();
    if (message.engine) this.engine = message.engine;
    switch (message.type) {
      case "snapshot": this.takeSnapshot(message); break;
      case "delta": this.takeDelta(message); break;
      case "heartbeat": this.takeHeartbeat(message); break;
      default: this.on.message?.(message);
    }
  }

  takeSnapshot(message) {
    this.waitingForSnapshot = false;
    this.data = message.data;
    this.seq = message.seq;
    this.epoch = message.epoch;
    this.on.change();
    this.on.status();
  }

  takeDelta(message) {
    if (this.waitingForSnapshot) return;
    if (message.epoch !== this.epoch || message.seq !== this.seq + 1) { this.resync(); return; }
    this.seq = message.seq;
    for (const [kind, changes] of Object.entries(message.patch)) {
      const items = (this.data[kind] ??= {});
      for (const [id, item] of Object.entries(changes)) {
        if (item === null) delete items[id];
        else items[id] = item;
      }
    }
    this.on.change();
  }

  takeHeartbeat(message) {
    // Answered here and not by a timer: a hidden page's timers sleep, its messages do not.
    this.send({ type: "beat" });
    if (message.epoch !== this.epoch || message.seq !== this.seq) this.resync();
    this.on.status();
  }
}

/** Milliseconds as m:ss or h:mm:ss. */
export function clock(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Texts with {names} filled in. Values become text nodes later: nothing here is HTML. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** A caller's text for the screen: at most 64 characters, and something to see when there is none. */
export function callerText(text, otherwise) {
  const letters = Array.from(text ?? "");
  return letters.length === 0 ? otherwise : letters.length > 64 ? letters.slice(0, 64).join("") + "…" : letters.join("");
}

/** Change the text only when it differs, so that a screen reader and a selection are left in peace. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function words() {
  return JSON.parse(document.getElementById("words").textContent);
}

/** One line for trouble, kept free so that nothing moves. */
export function showStatus(live, text, banner, root) {
  root.dataset.stale = String(live.stale || !live.connected);
  let [level, message] = ["", ""];
  if (live.closed) [level, message] = ["bad", live.closed === 4403 ? text.not_permitted : text.signed_off];
  else if (!live.connected) [level, message] = ["warn", `${text.network_lost} · ${fill(text.data_old, { n: live.ageSeconds() })}`];
  else if (!live.engine.reachable) {
    message = text.engine_away + (live.engine.loaded ? ` · ${fill(text.data_old, { n: live.ageSeconds() })}` : "");
    level = "warn";
  } else if (live.stale) [level, message] = ["warn", fill(text.data_old, { n: live.ageSeconds() })];
  banner.dataset.level = level;
  setText(banner, message || `● ${text.live}`);
  return Boolean(message);
}
