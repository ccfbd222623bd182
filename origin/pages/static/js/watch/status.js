// Polls the stream's public status: faster while a change is expected.

const SPREAD = 0.2;

/**
 * Event `status`: `detail` is the server's answer (`{stream, title, state, broadcast, hls, dash}`), or
 * `{state: "missing"}` if the stream does not exist, or `{state: "unreachable"}` if the server does not answer.
 */
export class StatusPoller extends EventTarget {
  /** Milliseconds from one answer to the next request, randomized so that viewers do not all poll at once. */
  interval = 3000;
  #url;
  #timer = 0;
  #pending = null;

  constructor(stream) {
    super();
    this.#url = `/api/v1/watch/${encodeURIComponent(stream)}`;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    window.addEventListener("online", () => this.refresh());
  }

  /** Request the status now; calls during a request share its answer. */
  refresh() {
    clearTimeout(this.#timer);
    this.#pending ??= this.#fetchStatus().then((status) => {
      this.#pending = null;
      this.#timer = setTimeout(() => this.refresh(), this.interval * (1 - SPREAD + 2 * SPREAD * Math.random()));
      this.dispatchEvent(new CustomEvent("status", { detail: status }));
    });
    return this.#pending;
  }

  async #fetchStatus() {
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
