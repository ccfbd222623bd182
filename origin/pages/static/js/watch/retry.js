// When to try again after a failure: soon at first, then less and less often.

const MAX_DELAY_MS = 15_000;
const STARTING_DELAY_MS = 1000;
const STARTING_TRIES = 15;

export class Retry {
  #failures = 0;
  #timer = 0;

  get pending() {
    return this.#timer !== 0;
  }

  /** Playback works: earlier failures no longer count. */
  forget() {
    this.#failures = 0;
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** Call `retry` later. `starting`: the broadcast has just begun; `atOnce`: the first time without a delay. */
  schedule(retry, { starting, atOnce }) {
    this.cancel();
    const backOff = Math.min(MAX_DELAY_MS, 1000 * 2 ** this.#failures);
    const delay = starting && this.#failures < STARTING_TRIES ? STARTING_DELAY_MS : backOff;
    this.#timer = setTimeout(
      () => {
        this.#timer = 0;
        retry();
      },
      atOnce && this.#failures === 0 ? 0 : delay,
    );
    this.#failures += 1;
  }
}
