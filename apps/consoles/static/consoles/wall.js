// The floor: queues, agents, calls and alarms as they are now. Rows are kept by id, in an order that does not jump.
import { Live, callerText, clock, fill, setText, showStatus, words } from "./live.js";

const text = words();
const root = document.getElementById("wall");
const $ = (id) => document.getElementById(id);
const byName = new Intl.Collator(document.documentElement.lang).compare;

// Seconds after which a state asks for a look: [amber, red].
const AGENT_LIMITS = { WRAP_UP: [60, 120], HOLDING: [60, 120], TALKING: [600, 1200] };
const WAIT_RED_S = 60;

const live = new Live(`/ws/wall/?tenant=${encodeURIComponent(root.dataset.tenant)}`, { change: render, status: renderStatus });

function element(tag, className = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  return made;
}

/** Keep one child per item: made once, moved only when the order changes, updated in place. */
function keep(parent, items, make, update) {
  const rows = (parent.kept ??= new Map());
  const wanted = new Set(items.map((item) => item.id));
  for (const [id, row] of rows) if (!wanted.has(id)) { row.remove(); rows.delete(id); }
  items.forEach((item, index) => {
    let row = rows.get(item.id);
    if (!row) { row = make(item); row.dataset.id = item.id; rows.set(item.id, row); }
    if (parent.children[index] !== row) parent.insertBefore(row, parent.children[index] ?? null);
    update(row, item);
  });
}

function cells(count, numbers) {
  return () => {
    const row = element("tr");
    for (let i = 0; i < count; i += 1) row.append(element("td", numbers.includes(i) ? "num" : ""));
    return row;
  };
}

function setBdi(cell, value) {
  const inner = cell.firstElementChild ?? cell.appendChild(element("bdi"));
  setText(inner, value);
  inner.title = value;
}

function setChip(cell, state, word, reason) {
  let chip = cell.querySelector(".chip");
  if (!chip) {
    chip = cell.appendChild(element("span", "chip"));
    chip.innerHTML = '<svg class="icon" aria-hidden="true"><use/></svg><span></span>';
    cell.append(" ", element("small"));
  }
  chip.dataset.state = state;
  chip.querySelector("use").setAttribute("href", `#i-${state}`);
  setText(chip.querySelector("span"), word);
  setText(cell.querySelector("small"), reason);
}

function setLevel(node, level) {
  if (level) node.dataset.level = level;
  else delete node.dataset.level;
}

function waitLevel(waitedMs, limitMs) {
  return waitedMs >= WAIT_RED_S * 1000 ? "red" : waitedMs >= limitMs ? "amber" : "";
}

const items = (kind) => Object.values(live.data[kind] ?? {});

function render() {
  renderQueues();
  renderAgents();
  renderCalls();
  renderAlarms();
  renderLinks();
  tick();
}

function renderQueues() {
  const queues = items("queues").sort((a, b) => byName(a.name, b.name) || byName(a.id, b.id));
  keep($("queues").tBodies[0], queues, cells(8, [1, 2, 3, 4, 5, 6, 7]), (row, queue) => {
    setBdi(row.cells[0], queue.name);
    setText(row.cells[1], String(queue.waiting));
    const nobody = queue.staffed === 0;
    setText(row.cells[3], nobody ? text.nobody : String(queue.ready));
    setLevel(row.cells[3], nobody && queue.waiting > 0 ? "red" : "");
    [queue.ringing, queue.talking, queue.wrap_up, queue.paused].forEach((count, index) => setText(row.cells[index + 4], String(count)));
  });
  showEmpty($("queues"), queues.length === 0);
}

function renderAgents() {
  const agents = items("agents").sort((a, b) => byName(a.name, b.name) || byName(a.id, b.id));
  keep($("agents").tBodies[0], agents, cells(4, [2]), (row, agent) => {
    setBdi(row.cells[0], agent.name);
    row.cells[0].title = agent.queues.join(", ");
    setChip(row.cells[1], agent.state, text.states[agent.state] ?? agent.state, agent.reason ? (text.reasons[agent.reason] ?? agent.reason) : "");
    setBdi(row.cells[3], agent.call ? callerText(agent.number, text.number_hidden) : "");
  });
  const here = agents.filter((agent) => agent.state !== "LOGGED_OUT").length;
  setText($("agents-count"), `${here} / ${agents.length}`);
  showEmpty($("agents"), agents.length === 0);
}

function renderCalls() {
  const calls = items("calls").sort((a, b) => a.started_ms - b.started_ms || (a.id < b.id ? -1 : 1));
  keep($("calls").tBodies[0], calls, cells(6, [2, 5]), (row, call) => {
    setBdi(row.cells[0], [callerText(call.number, text.number_hidden), callerText(call.name, "")].filter(Boolean).join(" · "));
    setText(row.cells[1], text.calls[call.held_ms ? "held" : call.state] ?? call.state);
    row.cells[1].className = "call-state";
    setBdi(row.cells[3], call.queue);
    setBdi(row.cells[4], call.agent);
  });
  setText($("calls-count"), calls.length ? String(calls.length) : "");
  showEmpty($("calls"), calls.length === 0);
}

function renderAlarms() {
  const alarms = items("alarms").sort((a, b) => a.since_ms - b.since_ms);
  const make = () => {
    const row = element("li");
    row.innerHTML = '<svg class="icon" aria-hidden="true"><use href="#i-alarm"/></svg><div><span></span><small><bdi></bdi></small></div><time></time>';
    return row;
  };
  keep($("alarms"), alarms, make, (row, alarm) => {
    setText(row.querySelector("span"), text.alarms[alarm.kind] ?? alarm.kind);
    setText(row.querySelector("bdi"), callerText([alarm.subject, alarm.detail].filter(Boolean).join(": "), ""));
  });
  $("all-clear").hidden = alarms.length > 0;
}

function renderLinks() {
  const links = [
    ...items("switches").map((item) => ({ ...item, id: `s${item.id}`, name: fill(text.switch_name, { id: item.id }) })),
    ...items("trunks").map((item) => ({ ...item, id: `t${item.id}` })),
  ];
  const make = () => { const row = element("li"); row.append(element("bdi"), element("span")); return row; };
  keep($("links"), links, make, (row, link) => {
    setText(row.children[0], link.name);
    setText(row.children[1], link.up === null ? text.unknown : link.up ? text.up : text.down);
    row.children[1].className = link.up === false ? "down" : link.up ? "ok" : "";
  });
}

function showEmpty(table, empty) {
  table.hidden = empty;
  table.closest("section").querySelector(".empty").hidden = !empty;
}

function renderStatus() {
  showStatus(live, text, $("banner"), root);
  if (!live.stale) setText($("checked"), ` · ${text.checked.replace("{time}", new Date(live.now()).toLocaleTimeString())}`);
}

function setTile(id, value, level = "") {
  setText($(id).querySelector(".figure"), String(value));
  setLevel($(id), level);
}

/** Whatever runs by the clock. When the data is old, it stands still. */
function tick() {
  if (live.stale) return;
  const now = live.now();
  let [waiting, oldest, limit] = [0, null, 20000];
  for (const queue of items("queues")) {
    const waited = queue.oldest_ms === null ? null : now - queue.oldest_ms;
    const cell = $("queues").tBodies[0].kept?.get(queue.id)?.cells[2];
    if (cell) { setText(cell, waited === null ? "–" : clock(waited)); setLevel(cell, waited === null ? "" : waitLevel(waited, queue.service_level_ms)); }
    waiting += queue.waiting;
    if (waited !== null && (oldest === null || waited > oldest)) [oldest, limit] = [waited, queue.service_level_ms];
  }
  const agents = items("agents");
  const count = (...states) => agents.filter((agent) => states.includes(agent.state)).length;
  setTile("tile-waiting", waiting);
  setTile("tile-longest", oldest === null ? "–" : clock(oldest), oldest === null ? "" : waitLevel(oldest, limit));
  setTile("tile-calls", items("calls").length);
  setTile("tile-ready", count("READY"));
  setTile("tile-talking", count("TALKING", "HOLDING", "CONSULTING", "CONFERENCING"));
  setTile("tile-wrap", count("WRAP_UP"));
  setTile("tile-paused", count("PAUSED", "NOT_RESPONDING"));
  tickRows(now);
}

function tickRows(now) {
  for (const agent of items("agents")) {
    const cell = $("agents").tBodies[0].kept?.get(agent.id)?.cells[2];
    if (!cell) continue;
    const [amber, red] = AGENT_LIMITS[agent.state] ?? [Infinity, Infinity];
    const seconds = (now - agent.since_ms) / 1000;
    setText(cell, agent.state === "LOGGED_OUT" ? "" : clock(now - agent.since_ms));
    setLevel(cell, agent.state === "NOT_RESPONDING" || seconds >= red ? "red" : seconds >= amber ? "amber" : "");
  }
  for (const call of items("calls")) {
    const row = $("calls").tBodies[0].kept?.get(call.id);
    if (row) { setText(row.cells[2], clock(now - (call.held_ms ?? call.since_ms))); setText(row.cells[5], clock(now - call.started_ms)); }
  }
  for (const alarm of items("alarms")) {
    const row = $("alarms").kept?.get(alarm.id);
    if (row) setText(row.querySelector("time"), clock(now - alarm.since_ms));
  }
}
setInterval(tick, 1000);
