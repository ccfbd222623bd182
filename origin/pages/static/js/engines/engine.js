// What the watch page asks of a player, whichever library does the work. One engine plays one broadcast once.

export const AUTO = "auto";
export const AUDIO = "audio";

/**
 * Why playback ended before its time. `code` is one of:
 * `connection` (requests fail), `missing` (the server has no such file), `format` (the browser cannot decode it),
 * `script` (the player itself could not be loaded).
 */
export class PlaybackFailure extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

/**
 * Events: `change` when the ladder or what plays of it changed; `failure` (its `detail` a PlaybackFailure) once, after
 * which the engine is only good for `close()`.
 *
 * `qualities` are `{id, label, bitrate}`, best first; bitrate in bit/s, 0 where unknown. `selected` is the id of one of
 * them, or AUTO.
 *
 * A subclass has `name`, `live`, `playing` (one of `qualities`, or null), `close()`, and for `open` and `select`:
 * `start(position)`, which gives the media element the source `url` as `selected` wants it, and `applyQuality()`, which
 * moves to the rung `selected`.
 */
export class Engine extends EventTarget {
  qualities = [];
  selected = AUTO;
  url = null;
  #failed = false;

  /** With `lowLatency` a live stream is played as near to the live edge as its playlist or manifest offers. */
  constructor(video, { lowLatency }) {
    super();
    this.video = video;
    this.lowLatency = lowLatency;
  }

  /** Begin at `position` seconds; null means the live edge, or the beginning of a recording. */
  async open(url, position = null) {
    this.url = url;
    await this.start(position);
  }

  /** Play the quality `id`. Audio alone is another source, so going to it or from it starts again at the same place. */
  async select(id) {
    if (id === this.selected) return;
    const restart = id === AUDIO || this.selected === AUDIO;
    this.selected = id;
    this.changed();
    if (!restart) {
      this.applyQuality();
      return;
    }
    const { paused, currentTime } = this.video;
    this.video.pause();
    await this.start(this.live ? null : currentTime);
    if (!paused) this.video.play().catch(() => {});
  }

  /** The quality `id` of the ladder, or null. */
  quality(id) {
    return this.qualities.find((quality) => quality.id === id) ?? null;
  }

  /** The quality whose player's handle is `key`, or null. */
  qualityOf(key) {
    return this.qualities.find((quality) => quality.key === key) ?? null;
  }

  /** What can be sought to, in seconds of the media element's time. */
  get range() {
    const { seekable } = this.video;
    return seekable.length
      ? { start: seekable.start(0), end: seekable.end(seekable.length - 1) }
      : { start: 0, end: 0 };
  }

  /** Seconds behind what happens, or behind the live edge; null where that is not known or nothing is live. */
  get latency() {
    const { end } = this.range;
    return this.live && end > 0 ? Math.max(0, end - this.video.currentTime) : null;
  }

  /** How many seconds behind live the player means to be. */
  get targetLatency() {
    return 8;
  }

  /** How many seconds later than it means to be the player is (negative: earlier); null as for `latency`. */
  get drift() {
    const { latency } = this;
    return latency === null ? null : latency - this.targetLatency;
  }

  goLive() {
    this.video.currentTime = Math.max(this.range.start, this.range.end - this.targetLatency);
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  fail(code, detail) {
    if (this.#failed) return;
    this.#failed = true;
    this.dispatchEvent(new CustomEvent("failure", { detail: new PlaybackFailure(code, detail) }));
  }
}

/**
 * The ladder as a menu shows it, best first. `levels` are `{key, width, height, frameRate, bitrate}`; the result keeps
 * `key`, the player's own handle. A rung is called by its shorter side, with the frame rate where it is above 30, and
 * with the bitrate where two rungs would otherwise be called the same.
 */
export function nameQualities(levels) {
  const name = ({ width, height, frameRate }) =>
    `${Math.min(width, height)}p${frameRate > 31 ? Math.round(frameRate) : ""}`;
  const counts = new Map();
  for (const level of levels) counts.set(name(level), (counts.get(name(level)) ?? 0) + 1);
  return [...levels]
    .sort((a, b) => b.height - a.height || b.bitrate - a.bitrate)
    .map((level) => {
      const label =
        counts.get(name(level)) > 1 ? `${name(level)} ${Math.round(level.bitrate / 1000)}k` : name(level);
      return { id: label.replace(" ", "-"), label, bitrate: level.bitrate, key: level.key };
    });
}

/** The menu's last entry. `key` is the player's own handle. */
export function audioQuality(bitrate, key) {
  return { id: AUDIO, label: "Audio only", bitrate, key };
}
