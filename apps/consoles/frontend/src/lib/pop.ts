/**
 * The screen pop's slot in the agent console: `src/customers/Pop.svelte` is shown there with these props, for as long as
 * the agent has the call (offer, talk, wrap-up). It is loaded by itself and must never hold up answering.
 */

export interface PopCall {
  id: string;
  direction: "inbound" | "outbound";
  /** The other party: caller or called, as the switch wrote it; may be empty. */
  number: string;
  name: string;
  did: string;
  queue: string;
  /** The customer's id when the call came with one (click to dial, a transfer), else "". */
  customer: string;
}

export interface PopProps extends Record<string, unknown> {
  call: PopCall;
  /** The agent's state, e.g. OFFERED: while ringing, nothing here may take the focus. */
  state: string;
  /** Starts a call; the console checks whether that is possible now. */
  dial: (number: string, customer?: string) => void;
}
