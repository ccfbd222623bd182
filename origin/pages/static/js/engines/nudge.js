// Moves a player on that stands still although it has media.

import { bufferedAhead } from "./pace.js";

const CHECK_MS = 250;
const PATIENCE_MS = 1500;
const ENOUGH_S = 0.5;
const STEP_S = 0.1;

/**
 * At the end of a small gap, as several discontinuities in a row leave, Chromium may wait for ever for a frame that is just
 * before the buffered media. A step into that media lets it play.
 */
export class Nudge {
  #video;
  #timer;
  #time = NaN;
  #since = 0;

  constructor(video) {
    this.#video = video;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  close() {
    clearInterval(this.#timer);
  }

  #check() {
    const video = this.#video;
    const now = performance.now();
    const waits = !video.paused && !video.ended && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (!waits || video.currentTime !== this.#time || bufferedAhead(video) < ENOUGH_S) {
      this.#time = video.currentTime;
      this.#since = now;
    } else if (now - this.#since >= PATIENCE_MS) {
      this.#since = now;
      video.currentTime += STEP_S;
    }
  }
}
