// Whether the viewer is behind live on purpose: after a pause or a seek, until they go live or are back at the live edge.
// Meanwhile nothing else moves them: no jump to the live edge, no change of the playback rate.

import { bufferedAhead } from "./pace.js";

/** A viewer who is later than the target latency by less than this, in seconds, watches live. */
export const BEHIND_S = 2;

export class Hold {
  #engine;
  #on = false;
  #listening = new AbortController();

  constructor(engine) {
    this.#engine = engine;
    const { video } = engine;
    const { signal } = this.#listening;
    video.addEventListener("pause", () => engine.live && !video.ended && (this.on = true), { signal });
    video.addEventListener("timeupdate", () => this.#onTime(), { signal });
    for (const event of ["play", "waiting"]) video.addEventListener(event, () => this.#stayInWindow(), { signal });
    engine.addEventListener("change", () => this.#stayInWindow(), { signal });
  }

  get on() {
    return this.#on;
  }

  set on(value) {
    if (value === this.#on) return;
    this.#on = value;
    this.#engine.holdChanged();
  }

  close() {
    this.#listening.abort();
  }

  #onTime() {
    const { drift, stale, video } = this.#engine;
    if (!video.paused && !video.seeking && !stale && drift !== null && drift < BEHIND_S) this.on = false;
    this.#stayInWindow();
  }

  /** If neither the playlist nor the buffer has the media at this position any more, play on from the earliest. */
  #stayInWindow() {
    const { live, range, video } = this.#engine;
    if (!this.#on || !live || video.paused || video.seeking) return;
    if (video.currentTime + bufferedAhead(video) >= range.start) return;
    video.currentTime = this.#engine.earliest;
    this.#engine.skipped();
  }
}
