/** One clock for all timers of a page: `ticker.ms` is the time of day in ms, renewed four times a second. */

class Ticker {
  ms = $state(Date.now());

  constructor() {
    setInterval(() => (this.ms = Date.now()), 250);
  }
}

export const ticker = new Ticker();
