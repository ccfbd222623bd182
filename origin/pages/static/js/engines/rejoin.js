// After an interruption, jumps to the live edge at once. Catching up at 103 % speed would take minutes.

import { bufferedAhead } from "./pace.js";

/** The drift in seconds, after an interruption, from which playback jumps to the live edge. */
const MIN_DRIFT_S = 4;

/** If playback moves back by at least this much, the viewer sought back on purpose and stays there. */
const SEEK_BACK_S = 0.5;

/** With less than this ahead, in seconds, the buffer counts as empty. */
const EMPTY_BUFFER_S = 0.1;

/** The least duration of media behind a gap, in seconds, for playback to skip the gap. */
const MIN_RANGE_S = 0.6;

/** Makes `engine` go live once after each interruption that left a large drift; `close()` stops it. */
export class Rejoin {
  #engine;
  #interrupted = false;
  #soughtBack = false;
  #position = 0;
  #listening = new AbortController();

  constructor(engine) {
    this.#engine = engine;
    const { video } = engine;
    const { signal } = this.#listening;
    video.addEventListener("waiting", () => (this.#interrupted ||= !video.seeking), { signal });
    video.addEventListener("seeking", () => (this.#soughtBack ||= video.currentTime < this.#position - SEEK_BACK_S), {
      signal,
    });
    video.addEventListener("timeupdate", () => this.#check(), { signal });
    video.addEventListener("progress", () => this.#skipGap(), { signal });
  }

  close() {
    this.#listening.abort();
  }

  /** Media that arrives after the interruption is buffered behind a gap, which not every library skips. */
  #skipGap() {
    const { video } = this.#engine;
    if (!this.#interrupted || video.seeking || bufferedAhead(video) > EMPTY_BUFFER_S) return;
    const { buffered, currentTime } = video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) > currentTime && buffered.end(i) - buffered.start(i) > MIN_RANGE_S) {
        video.currentTime = buffered.start(i);
        return;
      }
    }
  }

  #check() {
    const { drift, video } = this.#engine;
    this.#position = video.currentTime;
    if (video.readyState <= HTMLMediaElement.HAVE_CURRENT_DATA || video.seeking || drift === null) return;
    if (drift < MIN_DRIFT_S) this.#soughtBack = false;
    else if (this.#interrupted && !this.#soughtBack) this.#engine.goLive();
    this.#interrupted = false;
  }
}
