// After an interruption: what was missed while nothing came is left out, at once. At 3 % of speed that takes minutes.

import { bufferedAhead } from "./pace.js";

/** How many seconds later than meant an interruption has to leave the picture. */
const FAR_S = 4;

/** A step back by at least that much is the viewer's own, who is left where he went. */
const BACK_S = 0.5;

/** With less than that before it, the picture stands at the end of what it has. */
const DRY_S = 0.1;

/** And what there is to be at least behind a hole that is crossed. */
const ENOUGH_S = 0.6;

/** Has `engine` go live once after each interruption that its drift shows; `close()` ends that. */
export class Rejoin {
  #engine;
  #interrupted = false;
  #wentBack = false;
  #position = 0;
  #listening = new AbortController();

  constructor(engine) {
    this.#engine = engine;
    const { video } = engine;
    const { signal } = this.#listening;
    video.addEventListener("waiting", () => (this.#interrupted ||= !video.seeking), { signal });
    video.addEventListener("seeking", () => (this.#wentBack ||= video.currentTime < this.#position - BACK_S), {
      signal,
    });
    video.addEventListener("timeupdate", () => this.#check(), { signal });
    video.addEventListener("progress", () => this.#cross(), { signal });
  }

  close() {
    this.#listening.abort();
  }

  /** Nothing was sent meanwhile: what has come since lies behind a hole, where not every library looks. */
  #cross() {
    const { video } = this.#engine;
    if (!this.#interrupted || video.seeking || bufferedAhead(video) > DRY_S) return;
    const { buffered, currentTime } = video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) > currentTime && buffered.end(i) - buffered.start(i) > ENOUGH_S) {
        video.currentTime = buffered.start(i);
        return;
      }
    }
  }

  #check() {
    const { drift, video } = this.#engine;
    this.#position = video.currentTime;
    if (video.readyState <= HTMLMediaElement.HAVE_CURRENT_DATA || video.seeking || drift === null) return;
    if (drift < FAR_S) this.#wentBack = false;
    else if (this.#interrupted && !this.#wentBack) this.#engine.goLive();
    this.#interrupted = false;
  }
}
