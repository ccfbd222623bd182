// HLS by hls.js. Errors are treated as its API documentation says ("Fatal error recovery").

import { serverNow, syncClock } from "./clock.js";
import { AUDIO, audioQuality, Engine, nameQualities, PlaybackFailure } from "./engine.js";
import { Pace } from "./pace.js";
import { Rejoin } from "./rejoin.js";
import { loadPlayer, vendorUrl } from "./script.js";
import { settle } from "./settle.js";

const MEDIA_RECOVERY_GAP_MS = 5000;
/** What a stall adds to the distance from the live edge, in seconds: about a part. */
const STALL_COST_S = 0.3;
/** What is kept beyond the playlist's PART-HOLD-BACK, in seconds: when a network thins, that much more is in the buffer. */
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

  /** By the playlist's dates where it has some; else the distance from its end. */
  get latency() {
    if (!this.#synchronized) return null;
    const shown = this.#hls.playingDate?.getTime();
    const now = serverNow();
    return shown && now ? Math.max(0, (now - shown) / 1000) : this.#hls.latency;
  }

  /** What a playlist's hold-back is about is the distance from its end. */
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
      // The library only goes faster, and only with more than a second in the buffer: see Pace.
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
      // The library works on the manifest before it tells us, so its own levels are there by now.
      hls.on(Events.MANIFEST_LOADED, (_, data) => this.#readLadder(data.levels));
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

  /** hls.js leaves audio-only variants out of `levels` where there is video: they are found among all `variants`. */
  #readLadder(variants) {
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
    if (audio && this.qualities.length) this.qualities.push(audioQuality(audio.bitrate, audio.url));
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
 * Averages over that many seconds of downloading, of which there are few: a part on a good network takes milliseconds,
 * and when it becomes a thin one a second's buffer is all there is.
 */
function lowLatencySettings() {
  const { abrController, streamController } = Hls.DefaultConfig;
  return {
    abrController: patient(abrController),
    abrEwmaFastLive: 0.05,
    abrEwmaSlowLive: 1,
    streamController: tolerant(streamController),
  };
}

/**
 * In the middle of a segment the library would load its first half once more in the other rung, over what is about to
 * be shown: the picture stands until the next segment begins. So it waits for that.
 */
function patient(AbrController) {
  return class extends AbrController {
    get nextAutoLevel() {
      return isWithinSegment(this.hls) ? this.hls.loadLevel : super.nextAutoLevel;
    }

    /** The library sets what it was just told, and would take it for what it has to stay at. */
    set nextAutoLevel(level) {
      if (level !== this.hls.loadLevel || !isWithinSegment(this.hls)) super.nextAutoLevel = level;
    }
  };
}

/** Whether the part after the last that was loaded cannot be shown without it, or is not known yet. */
function isWithinSegment(hls) {
  const parts = hls?.latestLevelDetails?.partList ?? [];
  const last = parts.findLastIndex(({ loaded }) => loaded);
  return last >= 0 && !parts[last + 1]?.independent;
}

/**
 * The media element's ranges end up to a microsecond before the segment does. The library would take that for a piece
 * that is missing, and load a whole segment of the other rung for it, at every switch. So it would where everything is
 * buffered that the other rung's playlist has yet, over what is about to be shown: it waits for the next part.
 */
function tolerant(StreamController) {
  return class extends StreamController {
    getNextFragment(position, details) {
      const next = position + ROUNDING_S;
      return details.live && next >= details.edge ? null : super.getNextFragment(next, details);
    }
  };
}
