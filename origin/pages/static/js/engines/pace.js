// Keeps playback at the live edge without jumps: slightly faster if late, slightly slower if early. Viewers do not notice
// a change of 3 %.

/** The largest difference of the playback rate from 1. */
const MAX_CHANGE = 0.03;
/** The change of rate per second of drift: a third of a second gives the full change. */
const GAIN = 0.09;
/** A correction starts at this drift, in seconds, and stops at the smaller one. */
const START_S = 0.1;
const STOP_S = 0.02;
/** The rate is a multiple of this, so that it is not set for every tiny change. */
const STEP = 0.005;
/** A correction of a larger drift than this, in seconds, would take too long: `Rejoin` or the viewer jumps instead. */
const MAX_LATE_S = 12;
/** With less than this buffered, in seconds, playback is never sped up: a stall would cost more than it gains. */
const MIN_BUFFER_S = 0.25;

/**
 * The playback rate. `drift` is how many seconds playback is later than its target (negative: earlier), `buffered` how
 * many seconds of media are ahead, `correcting` whether the rate is currently not 1.
 */
export function chooseRate({ drift, buffered, correcting }) {
  const distance = Math.abs(drift);
  if (distance < (correcting ? STOP_S : START_S) || drift > MAX_LATE_S) return 1;
  if (drift > 0 && buffered < MIN_BUFFER_S) return 1;
  const change = Math.min(MAX_CHANGE, Math.max(STEP, GAIN * distance));
  return 1 + Math.sign(drift) * Math.round(change / STEP) * STEP;
}

/** Keeps the drift of `engine` near 0, except while it is null or the viewer is late on purpose. `close()` resets the rate. */
export class Pace {
  #engine;
  #listening = new AbortController();

  constructor(engine) {
    this.#engine = engine;
    engine.video.addEventListener("timeupdate", () => this.#adjust(), { signal: this.#listening.signal });
  }

  close() {
    this.#listening.abort();
    this.#engine.video.playbackRate = 1;
  }

  #adjust() {
    const { drift, hold, video } = this.#engine;
    const { paused, seeking, playbackRate } = video;
    const steady = paused || seeking || drift === null || hold.on;
    const correcting = playbackRate !== 1;
    const rate = steady ? 1 : chooseRate({ drift, buffered: bufferedAhead(video), correcting });
    if (rate !== playbackRate) video.playbackRate = rate;
  }
}

/** Seconds of media buffered ahead of the playback position. */
export function bufferedAhead({ buffered, currentTime }) {
  for (let i = 0; i < buffered.length; i += 1) {
    if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i)) return buffered.end(i) - currentTime;
  }
  return 0;
}
