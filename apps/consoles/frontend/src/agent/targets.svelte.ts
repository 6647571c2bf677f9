/** Queues and colleagues with what they do now, asked for again while somebody looks. */

import type { Live } from "$lib/live.svelte";

export interface QueueTarget {
  id: string;
  name: string;
  waiting: number;
}

export interface AgentTarget {
  id: string;
  name: string;
  state: string;
  /** Their telephone's number, "" where it is none of the house's. */
  extension: string;
}

const AGAIN_MS = 2_000;

export class Targets {
  queues = $state.raw<QueueTarget[]>([]);
  agents = $state.raw<AgentTarget[]>([]);

  /** Follow until the returned function is called; for an effect. */
  follow(live: Live): () => void {
    const ask = () => live.send({ type: "directory" });
    const stop = live.on("directory", (message) => {
      this.queues = message.queues ?? [];
      this.agents = message.agents ?? [];
    });
    ask();
    const timer = setInterval(ask, AGAIN_MS);
    return () => {
      clearInterval(timer);
      stop();
    };
  }
}
