// Where to transfer a call: one search over queues, agents and numbers.
import { callerText, fill, setText } from "./live.js";

const NUMBER = /^\+?[0-9*#]{1,32}$/;
const REACHABLE = new Set(["READY", "PAUSED", "TALKING", "HOLDING", "WRAP_UP", "OFFERED"]);

export class TransferPanel {
  constructor(form, text, on) {
    Object.assign(this, { form, text, on, directory: { queues: [], agents: [] }, options: [], at: 0 });
    this.search = form.querySelector("input");
    this.list = form.querySelector("ul");
    this.button = document.querySelector(`[aria-controls=${form.id}]`);
    this.search.addEventListener("input", () => { this.at = 0; this.render(); });
    this.search.addEventListener("keydown", (event) => this.key(event));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.choose(this.at); });
  }

  toggle() { if (this.form.hidden) this.open(); else this.close(); }

  open() {
    this.form.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.search.value = "";
    this.at = 0;
    this.on.directory();
    this.render();
    this.search.focus();
  }

  close() {
    if (this.form.hidden) return;
    const inside = this.form.contains(document.activeElement);
    this.form.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (inside) this.button.focus();
  }

  fill(directory) {
    this.directory = { queues: directory.queues ?? [], agents: directory.agents ?? [] };
    this.render();
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowDown") this.move(1);
    else if (event.key === "ArrowUp") this.move(-1);
    else return;
    event.preventDefault();
  }

  move(step) {
    if (this.options.length) this.at = (this.at + step + this.options.length) % this.options.length;
    this.render();
  }

  choose(index) {
    const option = this.options[index];
    if (!option) return;
    this.close();
    this.on.choose(option.kind, option.target);
  }

  find() {
    const wanted = this.search.value.trim().toLowerCase();
    const matches = (item) => !wanted || item.name.toLowerCase().includes(wanted);
    const options = [];
    const digits = wanted.replace(/[\s()-]/g, "");
    if (NUMBER.test(digits)) options.push({ kind: "number", target: digits, label: fill(this.text.dial_number, { number: digits }) });
    for (const queue of this.directory.queues.filter(matches)) options.push({ kind: "queue", target: queue.id, label: queue.name, detail: fill(this.text.waiting, { n: queue.waiting }) });
    for (const agent of this.directory.agents.filter(matches)) {
      if (REACHABLE.has(agent.state)) options.push({ kind: "agent", target: agent.id, label: agent.name, state: agent.state });
    }
    return options.slice(0, 40);
  }

  render() {
    this.options = this.find();
    this.at = Math.min(this.at, Math.max(0, this.options.length - 1));
    this.list.replaceChildren(...this.options.map((option, index) => this.row(option, index)));
    this.search.setAttribute("aria-activedescendant", this.options.length ? `target-${this.at}` : "");
    this.list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    if (!this.options.length) {
      const none = document.createElement("li");
      setText(none, this.text.no_target);
      this.list.append(none);
    }
  }

  row(option, index) {
    const row = document.createElement("li");
    row.id = `target-${index}`;
    row.role = "option";
    row.setAttribute("aria-selected", String(index === this.at));
    const name = document.createElement("bdi");
    setText(name, callerText(option.label, ""));
    const detail = document.createElement(option.state ? "span" : "small");
    setText(detail, option.state ? this.text.states[option.state] : option.kind === "queue" ? `${this.text.queue} · ${option.detail}` : "");
    if (option.state) { detail.className = "chip"; detail.dataset.state = option.state; }
    row.append(name, detail);
    row.addEventListener("click", () => this.choose(index));
    return row;
  }
}
