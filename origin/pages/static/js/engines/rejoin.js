// After an interruption, jumps to the live edge at once. Catching up at 103 % speed would take minutes.

import { bufferedAhead } from "./pace.js";

/** The drift in seconds, after an interruption, from which playback jumps to the live edge. */
const MIN_DRIFT_S = 4;

/** The same before the viewer has watched for JOINING_S: they are early enough to miss little, and would be late for long. */
const MIN_DRIFT_JOINING_S = 1;
const JOINING_S = 3;

/** With less than this ahead, in seconds, the buffer counts as empty. */
const EMPTY_BUFFER_S = 0.1;

/** The least duration of media behind a gap, in seconds, for playback to skip the gap. */
const MIN_RANGE_S = 0.6;

/**
 * Makes `engine` go live once after each interruption that left a large drift, the wait before playback included, unless
 * the viewer is late on purpose.
 */
export class Rejoin {
  #engine;
  #interrupted = true;
  #playedSince = null;
  #listening = new AbortController();

  constructor(engine) {
    this.#engine = engine;
    const { video } = engine;
    const { signal } = this.#listening;
    video.addEventListener("waiting", () => (this.#interrupted ||= !video.seeking), { signal });
    video.addEventListener("playing", () => (this.#playedSince ??= performance.now()), { signal });
    video.addEventListener("timeupdate", () => this.#check(), { signal });
    video.addEventListener("progress", () => this.#skipGap(), { signal });
  }

  close() {
    this.#listening.abort();
  }

  /**
   * Media that arrives after the interruption is buffered behind a gap, which not every library skips: dash.js does not if
   * its first seek ended there. Any other seek is the viewer's.
   */
  #skipGap() {
    const { video, hold } = this.#engine;
    if (bufferedAhead(video) > EMPTY_BUFFER_S) return;
    const waits = video.seeking ? this.#playedSince === null && !hold.on : this.#interrupted;
    const range = rangeAfter(video);
    if (waits && range && range.end - range.start > MIN_RANGE_S) video.currentTime = range.start;
  }

  #check() {
    const { drift, hold, video } = this.#engine;
    if (video.readyState <= HTMLMediaElement.HAVE_CURRENT_DATA || video.seeking || drift === null) return;
    if (this.#playedSince === null) return;
    const joining = performance.now() - this.#playedSince < JOINING_S * 1000;
    const limit = joining ? MIN_DRIFT_JOINING_S : MIN_DRIFT_S;
    if (this.#interrupted && drift >= limit && !hold.on) this.#engine.goLive();
    this.#interrupted = false;
  }
}

/** The first buffered range after the position, or null. */
function rangeAfter({ buffered, currentTime }) {
  for (let i = 0; i < buffered.length; i += 1) {
    if (buffered.start(i) > currentTime) return { start: buffered.start(i), end: buffered.end(i) };
  }
  return null;
}
