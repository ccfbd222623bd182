// The interface of the watch page to a player library. One engine plays one broadcast once.

import { Hold } from "./hold.js";

export const AUTO = "auto";
export const AUDIO = "audio";

/** The media at the start of a live window leaves it soon, so playback keeps this far from it, in seconds. */
const MARGIN_S = 3;

/**
 * The reason why playback stopped early. `code` is one of:
 * `connection` (requests fail), `missing` (the server has no such file), `refused` (it does not admit this viewer),
 * `format` (the browser cannot decode it), `script` (the player itself could not be loaded).
 */
export class PlaybackFailure extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

/** The code of the failure of a request that the server answered with `status`; undefined if it did not answer. */
export function codeOf(status) {
  return { 403: "refused", 404: "missing", 410: "missing" }[status] ?? "connection";
}

/**
 * Events: `change` if the ladder or the rendition that plays has changed; `skip` if the viewer's position has left the
 * live window and playback has moved to the earliest one; `failure` (its `detail` is a PlaybackFailure) once, after which
 * only `close()` may be called.
 *
 * `qualities` are `{id, label, bitrate}`, best first; bitrate in bit/s, 0 where unknown. `selected` is the id of one of
 * them, or AUTO.
 *
 * A subclass has `name`, `live`, `playing` (one of `qualities`, or null), `stop()`, which unloads, and for `open` and
 * `select`: `start(position)`, which loads `url` into the media element in the quality `selected`, and `applyQuality()`,
 * which switches to the quality `selected`.
 */
export class Engine extends EventTarget {
  qualities = [];
  selected = AUTO;
  url = null;
  #failed = false;

  /** With `lowLatency`, a live stream is played as close to the live edge as its playlist or manifest allows. */
  constructor(video, { lowLatency }) {
    super();
    this.video = video;
    this.lowLatency = lowLatency;
    this.hold = new Hold(this);
  }

  /** Begin at `position`, from another engine of this class; null is the live edge, or the beginning of a recording. */
  async open(url, position = null) {
    this.url = url;
    this.hold.on = position !== null;
    await this.start(position);
    if (!this.live || typeof position !== "number" || position >= this.range.start) return;
    this.video.currentTime = this.earliest;
    this.skipped();
  }

  close() {
    this.hold.close();
    this.stop();
  }

  /** Play the quality `id`. Audio only is another source, so switching to or from it restarts at the same position. */
  async select(id) {
    if (id === this.selected) return;
    const restart = id === AUDIO || this.selected === AUDIO;
    this.selected = id;
    this.changed();
    if (!restart) {
      this.applyQuality();
      return;
    }
    const { paused } = this.video;
    const position = this.live && !this.hold.on ? null : this.position;
    this.video.pause();
    await this.start(position);
    this.hold.on = position !== null;
    if (!paused) this.video.play().catch(() => {});
  }

  /** The quality `id` of the ladder, or null. */
  quality(id) {
    return this.qualities.find((quality) => quality.id === id) ?? null;
  }

  /** The quality with the player's handle `key`, or null. */
  qualityOf(key) {
    return this.qualities.find((quality) => quality.key === key) ?? null;
  }

  /** The seekable range, in seconds of the media element's time. */
  get range() {
    const { seekable } = this.video;
    return seekable.length
      ? { start: seekable.start(0), end: seekable.end(seekable.length - 1) }
      : { start: 0, end: 0 };
  }

  /** The first position to play from: in a live window, not its very start. */
  get earliest() {
    const { start, end } = this.range;
    return this.live ? start + Math.min(MARGIN_S, (end - start) / 4) : start;
  }

  /** Where the viewer is, for `open` of another engine; null before the first picture. */
  get position() {
    return this.video.currentTime || null;
  }

  /** Seconds behind the real event, or behind the live edge; null if unknown or not live. */
  get latency() {
    const { end } = this.range;
    return this.live && end > 0 ? Math.max(0, end - this.video.currentTime) : null;
  }

  /** Whether the media has no picture, although one may come that this player would not notice. */
  get soundOnly() {
    return false;
  }

  /** The latency that the player aims for, in seconds. */
  get targetLatency() {
    return 8;
  }

  /** Whether the player has had no news of the live edge for so long that `drift` is too small. */
  get stale() {
    return false;
  }

  /** How many seconds the player is later than its target (negative: earlier); null as for `latency`. */
  get drift() {
    const { latency } = this;
    return latency === null ? null : latency - this.targetLatency;
  }

  /** Play from `time`, or as close to it as the range and the target latency allow. */
  seek(time) {
    const { currentTime } = this.video;
    const latest = this.live ? currentTime + Math.max(0, this.drift ?? 0) : this.range.end;
    this.hold.on = true;
    this.video.currentTime = Math.max(this.earliest, Math.min(latest, time));
  }

  goLive() {
    this.hold.on = false;
    this.seekToLive();
  }

  seekToLive() {
    this.video.currentTime = Math.max(this.range.start, this.range.end - this.targetLatency);
  }

  /** A subclass whose library follows the live edge by itself turns that off while `hold.on`. */
  holdChanged() {}

  /** The position at which to play has left the live window. */
  skipped() {
    this.dispatchEvent(new Event("skip"));
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
 * The ladder for a menu, best first. `levels` are `{key, width, height, frameRate, bitrate}`; the result keeps `key`, the
 * player's own handle. A label is the shorter side, with the frame rate if it is above 30, and with the bitrate if two
 * labels would otherwise be the same.
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

/** The last entry of the menu. `key` is the player's own handle. */
export function audioQuality(bitrate, key) {
  return { id: AUDIO, label: "Audio only", bitrate, key };
}
