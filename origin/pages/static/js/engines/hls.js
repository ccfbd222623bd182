// HLS with hls.js. Errors are handled as its API documentation recommends ("Fatal error recovery").

import { serverNow, syncClock } from "./clock.js";
import { AUDIO, audioQuality, codeOf, Engine, nameQualities, PlaybackFailure } from "./engine.js";
import { Pace } from "./pace.js";
import { Rejoin } from "./rejoin.js";
import { loadPlayer, vendorUrl } from "./script.js";
import { settle } from "./settle.js";

const MEDIA_RECOVERY_GAP_MS = 5000;
/** How much each stall adds to the latency, in seconds: about a part. */
const STALL_COST_S = 0.3;
/** Latency on top of the playlist's PART-HOLD-BACK, in seconds: this much more is buffered if the network slows down. */
const MARGIN_S = 0.15;
const ROUNDING_S = 0.001;
/** After this many time-outs of a playlist in a row, playback has failed. */
const MAX_TIMEOUTS = 10;
/** The greatest age of an up-to-date playlist, in target durations. */
const MAX_AGE = 2;

let Hls;

export async function load() {
  Hls = await loadPlayer("hls.min.js", "Hls");
  if (!Hls.isSupported()) throw new PlaybackFailure("format", "no Media Source Extensions");
  return HlsEngine;
}

class HlsEngine extends Engine {
  name = "hls.js";
  #hls = null;
  #pace = null;
  #rejoin = null;
  #recoveredAt = -Infinity;
  /** The discontinuity sequence number (`cc`) of the first video that was loaded. */
  #run = null;

  stop() {
    this.#pace?.close();
    this.#rejoin?.close();
    this.#hls?.destroy();
    this.#hls = this.#pace = this.#rejoin = this.#run = null;
  }

  get live() {
    return this.#details?.live ?? false;
  }

  get #details() {
    return this.#hls?.latestLevelDetails;
  }

  /** The media element's seekable range also has what has left the playlist. */
  get range() {
    return this.live ? { start: this.#details.fragmentStart, end: this.#details.edge } : super.range;
  }

  /** A Date if the playlist has dates: the zero of the media element's time changes with each load. */
  get position() {
    return this.#hls?.playingDate ?? super.position;
  }

  /** From the playlist's dates if it has any, otherwise the distance from its end. */
  get latency() {
    if (!this.#synchronized) return null;
    const shown = this.#hls.playingDate?.getTime();
    const now = serverNow();
    return shown && now ? Math.max(0, (now - shown) / 1000) : this.#hls.latency;
  }

  /** Relative to the playlist's end, because HOLD-BACK is measured from there. */
  get drift() {
    return this.#synchronized ? this.#hls.liveSyncPosition - this.video.currentTime : null;
  }

  get stale() {
    return this.live && this.#details.age > MAX_AGE * this.#details.targetduration;
  }

  get targetLatency() {
    return this.#hls?.targetLatency ?? super.targetLatency;
  }

  get playing() {
    return this.selected === AUDIO ? this.quality(AUDIO) : this.qualityOf(this.#hls?.currentLevel);
  }

  get soundOnly() {
    const levels = this.#hls?.levels ?? [];
    return this.selected !== AUDIO && levels.length > 0 && levels.every(({ width }) => !width);
  }

  seekToLive() {
    const position = this.#hls?.liveSyncPosition;
    if (position) this.video.currentTime = position;
  }

  async start(position) {
    this.stop();
    const { streamController } = Hls.DefaultConfig;
    const hls = new Hls({
      abrEwmaDefaultEstimate: 3_000_000,
      streamController: keepingPosition(streamController, this.hold),
      ...(this.lowLatency ? lowLatencySettings(this.hold) : {}),
      backBufferLength: 60,
      liveSyncOnStallIncrease: STALL_COST_S,
      lowLatencyMode: this.lowLatency,
      // Pace sets the rate instead: the library only speeds up, and only with more than a second buffered.
      maxLiveSyncPlaybackRate: 1,
      playlistLoadPolicy: toleratingTimeouts(Hls.DefaultConfig.playlistLoadPolicy),
      startLevel: -1,
      startPosition: typeof position === "number" ? position : -1,
      testBandwidth: false,
      workerPath: vendorUrl("hls.worker.js"),
    });
    this.#hls = hls;
    const { Events } = Hls;
    hls.on(Events.ERROR, (_, data) => this.#onError(data));
    hls.on(Events.LEVEL_SWITCHED, () => this.changed());
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => {
      if (position === null && this.#hls === hls && this.#waitsAtBreak(details)) this.#restart();
      else this.changed();
    });
    hls.on(Events.FRAG_LOADED, (_, { frag }) => frag.type === "main" && (this.#run ??= frag.cc));
    if (position instanceof Date) {
      hls.once(Events.LEVEL_LOADED, (_, { details }) => this.#startAt(position, details));
    }
    if (this.selected === AUDIO) {
      hls.loadSource(this.quality(AUDIO).key);
    } else {
      // The library handles this event first, so its own levels exist by now.
      hls.on(Events.MANIFEST_LOADED, (_, data) => this.#readLadder(data));
      hls.loadSource(this.url);
    }
    hls.attachMedia(this.video);
    syncClock();
    if (!this.lowLatency) return;
    hls.once(Events.LEVEL_LOADED, (_, { details }) => {
      if (details.partHoldBack > 0) hls.targetLatency = details.partHoldBack + MARGIN_S;
    });
    this.#pace = new Pace(this);
    this.#rejoin = new Rejoin(this);
    if (position === null) await settle(this);
  }

  #startAt(date, { fragments }) {
    const at = date.getTime();
    const fragment = fragments.findLast(({ programDateTime }) => programDateTime <= at);
    if (!fragment) this.skipped();
    this.#hls.startLoad(fragment ? fragment.start + (at - fragment.programDateTime) / 1000 : fragments[0].start);
  }

  /**
   * If one rendition begins before a discontinuity and another behind it, the library waits for ever: it appends nothing
   * until it has media of all renditions, and it reads the other's media with the first one's timestamps.
   */
  #waitsAtBreak({ live, fragments, fragmentHint }) {
    const listed = fragmentHint ? [...fragments, fragmentHint] : fragments;
    const newest = listed.at(-1)?.cc;
    const first = listed.find(({ cc }) => cc === newest);
    if (!live || this.#run === null || this.#run === newest || this.video.buffered.length > 0) return false;
    return this.#hls.liveSyncPosition > first.start;
  }

  async #restart() {
    const { paused } = this.video;
    await this.start(null);
    if (!paused) this.video.play().catch(() => {});
  }

  get #synchronized() {
    return this.live && this.#hls.liveSyncPosition !== null;
  }

  applyQuality() {
    this.#hls.nextLevel = this.quality(this.selected)?.key ?? -1;
  }

  /**
   * `variants` has the audio-only variants, which hls.js leaves out of its own `levels` if there is video. Without one,
   * audio only is the audio rendition of the video variants.
   */
  #readLadder({ levels: variants, audioTracks }) {
    const levels = this.#hls.levels.map(({ width, height, frameRate, bitrate }, key) => ({
      key,
      width,
      height,
      frameRate,
      bitrate,
    }));
    const audio = variants
      .filter((variant) => variant.audioCodec && !variant.videoCodec && !variant.height)
      .sort((a, b) => a.bitrate - b.bitrate)[0];
    this.qualities = nameQualities(levels.filter((level) => level.height > 0));
    const source = audio ?? audioTracks.find((track) => track.url);
    if (source && this.qualities.length) this.qualities.push(audioQuality(source.bitrate ?? 0, source.url));
    this.applyQuality();
    this.changed();
  }

  #onError({ fatal, type, details, response }) {
    const { ErrorDetails, ErrorTypes } = Hls;
    const reason = codeOf(response?.code);
    // A refusal is final, but the library would try the other levels first.
    if (!fatal && reason !== "refused") return;
    if (type === ErrorTypes.NETWORK_ERROR) {
      this.fail(reason, details);
      return;
    }
    const incompatible = details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    const recentlyRecovered = performance.now() - this.#recoveredAt < MEDIA_RECOVERY_GAP_MS;
    if (type !== ErrorTypes.MEDIA_ERROR || incompatible || recentlyRecovered) {
      this.fail("format", details);
      return;
    }
    this.#recoveredAt = performance.now();
    const { paused } = this.video;
    this.#hls.recoverMediaError();
    if (!paused) this.video.play().catch(() => {});
  }
}

/**
 * The half-lives count seconds of downloading. They are short because a part takes only milliseconds on a fast network, and
 * if the network slows down, the buffer holds only about a second.
 */
function lowLatencySettings(hold) {
  const { abrController, streamController } = Hls.DefaultConfig;
  return {
    abrController: switchingAtSegments(abrController),
    abrEwmaFastLive: 0.05,
    abrEwmaSlowLive: 1,
    streamController: toleratingRounding(keepingPosition(streamController, hold)),
  };
}

/**
 * While the broadcaster is away, each blocking playlist reload times out after 1.6 s. The time-outs of the audio's playlist
 * would add up to a fatal error.
 */
function toleratingTimeouts({ default: policy }) {
  return { default: { ...policy, timeoutRetry: { ...policy.timeoutRetry, maxNumRetry: MAX_TIMEOUTS } } };
}

/** The library moves a position outside the live playlist to the live edge. While `hold.on`, `Hold` moves it instead. */
function keepingPosition(StreamController, hold) {
  return class extends StreamController {
    synchronizeToLiveEdge(details) {
      if (!hold.on) super.synchronizeToLiveEdge(details);
    }
  };
}

/**
 * Allows a switch only at the start of a segment. In the middle of a segment, the library would load its first half again
 * in the other level and overwrite media that is about to be shown: playback would stall until the next segment.
 */
function switchingAtSegments(AbrController) {
  return class extends AbrController {
    get nextAutoLevel() {
      return staysInLevel(this.hls) ? this.hls.loadLevel : super.nextAutoLevel;
    }

    /** The library writes back the value that it has just read, and would then treat it as forced. */
    set nextAutoLevel(level) {
      if (level !== this.hls.loadLevel || !staysInLevel(this.hls)) super.nextAutoLevel = level;
    }
  };
}

/** After an error the library must be able to switch: otherwise it would never load the level's playlist again. */
function staysInLevel(hls) {
  return !hls?.levels[hls.loadLevel]?.loadError && isWithinSegment(hls);
}

/** Whether the part after the last loaded one depends on it (is not INDEPENDENT), or is not known yet. */
function isWithinSegment(hls) {
  const parts = hls?.latestLevelDetails?.partList ?? [];
  const last = parts.findLastIndex(({ loaded }) => loaded);
  return last >= 0 && !parts[last + 1]?.independent;
}

/**
 * The media element's buffered ranges end up to a microsecond before the segment does. The library would treat that as
 * missing media and, at every switch, load a whole segment in the other level. It would also do so if everything in the
 * other level's playlist is buffered already, and overwrite media that is about to be shown; here it waits for the next
 * part instead.
 */
function toleratingRounding(StreamController) {
  return class extends StreamController {
    getNextFragment(position, details) {
      const next = position + ROUNDING_S;
      return details.live && next >= details.edge ? null : super.getNextFragment(next, details);
    }
  };
}
