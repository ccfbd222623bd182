// Staying at the live edge without a jump: a little faster when late, a little slower when early. Nobody hears 3 %.

/** How far the playback rate may be from 1. */
const REACH = 0.03;
/** Rate per second of lateness: a third of a second off is worth the full reach. */
const GAIN = 0.09;
/** Seconds off that are left alone, and how near to the target a correction goes on. */
const SLACK_S = 0.1;
const NEAR_S = 0.02;
/** Steps of the rate: a media element need not be told of every hundredth of a percent. */
const STEP = 0.005;
/** A viewer who is this much later than live went back on purpose. */
const CHASE_S = 12;
/** With less than this in the buffer nothing is played faster: running dry costs more than it wins. */
const LEAST_BUFFER_S = 0.25;

/**
 * The rate to play at. `drift` is how many seconds later than meant the picture is (negative: earlier), `buffered` how
 * many seconds are there ahead of it, `correcting` whether the rate is off 1 by now.
 */
export function chooseRate({ drift, buffered, correcting }) {
  const off = Math.abs(drift);
  if (off < (correcting ? NEAR_S : SLACK_S) || drift > CHASE_S) return 1;
  if (drift > 0 && buffered < LEAST_BUFFER_S) return 1;
  const change = Math.min(REACH, Math.max(STEP, GAIN * off));
  return 1 + Math.sign(drift) * Math.round(change / STEP) * STEP;
}

/** Keeps `video` at `drift()` seconds near 0 while that is not null; `close()` gives the rate back. */
export class Pace {
  #video;
  #drift;
  #listening = new AbortController();

  constructor(video, drift) {
    this.#video = video;
    this.#drift = drift;
    video.addEventListener("timeupdate", () => this.#adjust(), { signal: this.#listening.signal });
  }

  close() {
    this.#listening.abort();
    this.#video.playbackRate = 1;
  }

  #adjust() {
    const { paused, seeking, playbackRate } = this.#video;
    const drift = this.#drift();
    const steady = paused || seeking || drift === null;
    const correcting = playbackRate !== 1;
    const rate = steady ? 1 : chooseRate({ drift, buffered: bufferedAhead(this.#video), correcting });
    if (rate !== playbackRate) this.#video.playbackRate = rate;
  }
}

/** Seconds of media that `video` has ahead of the picture. */
export function bufferedAhead({ buffered, currentTime }) {
  for (let i = 0; i < buffered.length; i += 1) {
    if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i)) return buffered.end(i) - currentTime;
  }
  return 0;
}
