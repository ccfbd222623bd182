// Polls the stream's public status: faster while a change is expected.

import { BASE } from "../base.js";
import { refusalOf } from "./access.js";

const SPREAD = 0.2;
const TIMEOUT_MS = 5000;
/** How often to ask whether a viewer who waits for a private stream is still admitted. */
const ACCESS_MS = 30_000;

/**
 * Event `status`: `detail` is the server's answer (`{stream, title, private, state, broadcast, hls, dash}`), or
 * `{state: "missing"}` if the stream does not exist, or `{state: "unreachable"}` if the server does not answer; each with
 * `refusal`, the reason why the server does not admit this viewer (`{code, detail}`), or null.
 */
export class StatusPoller extends EventTarget {
  /** Milliseconds from one answer to the next request, randomized so that viewers do not all poll at once. */
  interval = 3000;
  #stream;
  #token;
  #timer = 0;
  #pending = null;
  #refusal = null;
  #askedAt = -Infinity;
  #suspected = false;

  /** `token` is the viewer's token, or null. */
  constructor(stream, token) {
    super();
    this.#stream = stream;
    this.#token = token;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    window.addEventListener("online", () => this.refresh());
  }

  /** Request the status now; calls during a request share its answer. */
  refresh() {
    clearTimeout(this.#timer);
    this.#pending ??= this.#fetchStatus().then(async (status) => {
      const refusal = await this.#askAccess(status);
      this.#pending = null;
      // The listeners set the interval.
      this.dispatchEvent(new CustomEvent("status", { detail: { ...status, refusal } }));
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.refresh(), this.interval * (1 - SPREAD + 2 * SPREAD * Math.random()));
    });
    return this.#pending;
  }

  /** Ask for access with the next status. `refused`: the server refused media, although a cache may call it public. */
  doubtAccess({ refused }) {
    this.#askedAt = -Infinity;
    this.#suspected ||= refused;
  }

  /** Forget the refusal, and ask again. */
  retryAccess() {
    this.#refusal = null;
    this.doubtAccess({ refused: true });
    return this.refresh();
  }

  async #fetchStatus() {
    const url = `${BASE}api/v1/watch/${encodeURIComponent(this.#stream)}`;
    const headers = { Accept: "application/json" };
    try {
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.status === 404) return { state: "missing" };
      if (!response.ok) return { state: "unreachable" };
      return await response.json();
    } catch {
      return { state: "unreachable" };
    }
  }

  /** A refusal is final until the stream is public: a link does not become valid by itself. */
  async #askAccess(status) {
    if (status.state === "unreachable") return this.#refusal;
    if (!status.private && !this.#suspected) this.#refusal = null;
    else if (!this.#refusal && performance.now() - this.#askedAt > ACCESS_MS) {
      this.#askedAt = performance.now();
      this.#suspected = false;
      this.#refusal = await refusalOf(this.#stream, this.#token);
    }
    return this.#refusal;
  }
}
