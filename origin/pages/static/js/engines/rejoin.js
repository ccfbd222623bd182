// After an interruption: what was missed while nothing came is left out, at once. At 3 % of speed that takes minutes.

/** How many seconds later than meant an interruption has to leave the picture. */
const FAR_S = 4;

/** A step back by at least that much is the viewer's own, who is left where he went. */
const BACK_S = 0.5;

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
  }

  close() {
    this.#listening.abort();
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
