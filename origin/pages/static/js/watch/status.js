// The stream's public status, asked for again and again: faster while something is about to happen.

const SPREAD = 0.2;

/**
 * Event `status`: `detail` is what the server says (`{stream, title, state, broadcast, hls, dash}`), or
 * `{state: "missing"}` where it knows no such stream, or `{state: "unreachable"}` where it does not answer.
 */
export class StatusPoller extends EventTarget {
  /** Milliseconds from one answer to the next question, spread so that viewers do not ask all at once. */
  interval = 3000;
  #url;
  #timer = 0;
  #asking = null;

  constructor(stream) {
    super();
    this.#url = `/api/v1/watch/${encodeURIComponent(stream)}`;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    window.addEventListener("online", () => this.refresh());
  }

  /** Ask now; calls while an answer is awaited share it. */
  refresh() {
    clearTimeout(this.#timer);
    this.#asking ??= this.#ask().then((status) => {
      this.#asking = null;
      this.#timer = setTimeout(() => this.refresh(), this.interval * (1 - SPREAD + 2 * SPREAD * Math.random()));
      this.dispatchEvent(new CustomEvent("status", { detail: status }));
    });
    return this.#asking;
  }

  async #ask() {
    try {
      const response = await fetch(this.#url, { headers: { Accept: "application/json" } });
      if (response.status === 404) return { state: "missing" };
      if (!response.ok) return { state: "unreachable" };
      return await response.json();
    } catch {
      return { state: "unreachable" };
    }
  }
}
