// HLS with hls.js. Errors are handled as its API documentation recommends ("Fatal error recovery").

import { serverNow, syncClock } from "./clock.js";
import { AUDIO, audioQuality, Engine, nameQualities, PlaybackFailure } from "./engine.js";
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

  close() {
    this.#pace?.close();
    this.#rejoin?.close();
    this.#hls?.destroy();
    this.#hls = this.#pace = this.#rejoin = null;
  }

  get live() {
    return this.#hls?.latestLevelDetails?.live ?? false;
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

  get targetLatency() {
    return this.#hls?.targetLatency ?? super.targetLatency;
  }

  get playing() {
    return this.selected === AUDIO ? this.quality(AUDIO) : this.qualityOf(this.#hls?.currentLevel);
  }

  goLive() {
    const position = this.#hls?.liveSyncPosition;
    if (position) this.video.currentTime = position;
  }

  async start(position) {
    this.close();
    const hls = new Hls({
      abrEwmaDefaultEstimate: 3_000_000,
      ...(this.lowLatency ? lowLatencySettings() : {}),
      backBufferLength: 60,
      liveSyncOnStallIncrease: STALL_COST_S,
      lowLatencyMode: this.lowLatency,
      // Pace sets the rate instead: the library only speeds up, and only with more than a second buffered.
      maxLiveSyncPlaybackRate: 1,
      startLevel: -1,
      startPosition: position ?? -1,
      testBandwidth: false,
      workerPath: vendorUrl("hls.worker.js"),
    });
    this.#hls = hls;
    const { Events } = Hls;
    hls.on(Events.ERROR, (_, data) => this.#onError(data));
    hls.on(Events.LEVEL_SWITCHED, () => this.changed());
    hls.on(Events.LEVEL_UPDATED, () => this.changed());
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
    this.#pace = new Pace(this.video, () => this.drift);
    this.#rejoin = new Rejoin(this);
    if (position === null) await settle(this);
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
    if (!fatal) return;
    const { ErrorDetails, ErrorTypes } = Hls;
    if (type === ErrorTypes.NETWORK_ERROR) {
      const missing = response?.code === 404 || response?.code === 410;
      this.fail(missing ? "missing" : "connection", details);
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
function lowLatencySettings() {
  const { abrController, streamController } = Hls.DefaultConfig;
  return {
    abrController: switchingAtSegments(abrController),
    abrEwmaFastLive: 0.05,
    abrEwmaSlowLive: 1,
    streamController: toleratingRounding(streamController),
  };
}

/**
 * Allows a switch only at the start of a segment. In the middle of a segment, the library would load its first half again
 * in the other level and overwrite media that is about to be shown: playback would stall until the next segment.
 */
function switchingAtSegments(AbrController) {
  return class extends AbrController {
    get nextAutoLevel() {
      return isWithinSegment(this.hls) ? this.hls.loadLevel : super.nextAutoLevel;
    }

    /** The library writes back the value that it has just read, and would then treat it as forced. */
    set nextAutoLevel(level) {
      if (level !== this.hls.loadLevel || !isWithinSegment(this.hls)) super.nextAutoLevel = level;
    }
  };
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
