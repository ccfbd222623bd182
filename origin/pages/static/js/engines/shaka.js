// DASH with Shaka Player, so that operators can compare players on the same media.

import { AUDIO, AUTO, audioQuality, codeOf, Engine, nameQualities, PlaybackFailure } from "./engine.js";
import { Rejoin } from "./rejoin.js";
import { loadPlayer } from "./script.js";
import { settle } from "./settle.js";
import { measureBandwidth } from "./shaka-bandwidth.js";

/** A smaller difference from the target latency, in seconds, is not corrected. */
const TOLERANCE_S = 0.05;

let shaka;

export async function load() {
  shaka = await loadPlayer("shaka-player.dash.js", "shaka");
  shaka.polyfill.installAll();
  if (!shaka.Player.isBrowserSupported()) throw new PlaybackFailure("format", "no Media Source Extensions");
  return ShakaEngine;
}

class ShakaEngine extends Engine {
  name = "shaka-player";
  #player = null;
  #rejoin = null;

  stop() {
    const player = this.#player;
    this.#rejoin?.close();
    this.#player = this.#rejoin = null;
    return player?.destroy();
  }

  get live() {
    return this.#player?.isLive() ?? false;
  }

  get range() {
    return this.#player?.seekRange() ?? super.range;
  }

  get latency() {
    return (this.live && this.#player.getStats().liveLatency) || null;
  }

  get targetLatency() {
    const manifest = this.#player?.getManifest();
    const target = this.lowLatency ? manifest?.serviceDescription?.targetLatency : null;
    return (target ?? manifest?.presentationTimeline.getDelay()) || super.targetLatency;
  }

  get drift() {
    if (!this.live) return null;
    return this.range.end - this.video.currentTime - (this.lowLatency ? this.#holdBack : 0);
  }

  /** Seconds from the end of the seekable range, which is the end of the last part, to the target position. */
  get #holdBack() {
    const { presentationTimeline: timeline } = this.#player.getManifest();
    const part = timeline.getMaxSegmentDuration() - timeline.getAvailabilityTimeOffset();
    return Math.max(0, this.targetLatency - part);
  }

  get playing() {
    if (this.selected === AUDIO) return this.quality(AUDIO);
    const track = this.#tracks.find(({ active }) => active);
    return this.qualityOf(track && keyOf(track));
  }

  seekToLive() {
    if (this.live) this.video.currentTime += this.drift;
  }

  /** Without liveSync, the library would follow the manifest's ServiceDescription instead. */
  holdChanged() {
    const follows = this.lowLatency && !this.hold.on;
    this.#player?.configure("streaming.liveSync.targetLatencyTolerance", follows ? TOLERANCE_S : Infinity);
  }

  async start(position) {
    await this.stop();
    const player = new shaka.Player();
    this.#player = player;
    player.addEventListener("error", ({ detail }) => this.#onError(detail));
    player.addEventListener("adaptation", () => this.changed());
    player.addEventListener("trackschanged", () => this.changed());
    player.configure({ manifest: { disableVideo: this.selected === AUDIO } });
    this.holdChanged();
    if (this.lowLatency) {
      player.configure(lowLatencySettings());
      player.configurationForLowLatency(lowLatencyStreamSettings());
      measureBandwidth(player, shaka);
      player.addEventListener("canupdatestarttime", () => this.live && this.#applyHoldBack(position));
      this.#rejoin = new Rejoin(this);
    }
    try {
      await player.attach(this.video);
      await player.load(this.url, position);
    } catch (error) {
      this.#onError(error);
      return;
    }
    if (this.#player !== player) return;
    this.#readLadder();
    if (this.lowLatency && position === null) await settle(this);
  }

  /** Called when the manifest is read, because the hold-back depends on it. */
  #applyHoldBack(position) {
    this.#player.configure("streaming.liveSync.targetLatency", this.#holdBack);
    if (position === null && this.#holdBack > 0) this.#player.updateStartTime(-this.#holdBack);
  }

  applyQuality() {
    this.#player.configure("abr.enabled", this.selected === AUTO);
    const quality = this.quality(this.selected);
    const track = this.#tracks.find((track) => quality && keyOf(track) === quality.key);
    if (track) this.#player.selectVideoTrack(track, true, 1);
  }

  get #tracks() {
    return this.#player?.getVideoTracks() ?? [];
  }

  #readLadder() {
    if (this.selected !== AUDIO) {
      this.qualities = nameQualities(
        this.#tracks.map((track) => ({
          key: keyOf(track),
          width: track.width,
          height: track.height,
          frameRate: track.frameRate,
          bitrate: track.bandwidth,
        })),
      );
      const hasBoth = this.qualities.length > 0 && this.#player.getAudioTracks().length > 0;
      if (hasBoth) this.qualities.push(audioQuality(0, null));
      this.applyQuality();
    }
    this.changed();
  }

  #onError({ code, category, severity, data, message }) {
    const { Category, Code, Severity } = shaka.util.Error;
    if (code === Code.LOAD_INTERRUPTED || code === Code.OPERATION_ABORTED || severity === Severity.RECOVERABLE)
      return;
    const reason = category === Category.NETWORK ? codeOf(code === Code.BAD_HTTP_STATUS ? data[1] : undefined) : "format";
    // For a live stream the library reports the error and then retries without limit.
    if (reason === "connection" && this.live) return;
    this.fail(reason, message ?? `code ${code}`);
  }
}

function keyOf(track) {
  return `${track.width}x${track.height}@${track.frameRate}:${track.bandwidth}`;
}

/**
 * By default the library holds playback back by the presentation delay plus the unfinished part. With these settings its
 * seekable range ends at the last part, and liveSync keeps the target latency.
 */
function lowLatencySettings() {
  return {
    manifest: { defaultPresentationDelay: 0, dash: { ignoreSuggestedPresentationDelay: true } },
    streaming: {
      lowLatencyMode: true,
      liveSync: { enabled: true, minPlaybackRate: 0.97, maxPlaybackRate: 1.03 },
    },
    // The half-lives count seconds of downloading. They are short because a part takes only milliseconds on a fast
    // network, and if the network slows down, the buffer holds only about a second.
    abr: {
      advanced: { fastHalfLife: 0.05, slowHalfLife: 1 },
      cacheLoadThreshold: 0,
      defaultBandwidthEstimate: 3_000_000,
      switchInterval: 1,
      useNetworkInformation: false,
    },
  };
}

/**
 * The library's own settings for low-latency manifests, except for the prefetch: it would take bandwidth from a slow
 * network, and after a switch it would fetch the old level.
 */
function lowLatencyStreamSettings() {
  const retryParameters = { baseDelay: 100 };
  return {
    streaming: {
      inaccurateManifestTolerance: 0,
      segmentPrefetchLimit: 0,
      updateIntervalSeconds: 0.1,
      maxDisabledTime: 1,
      retryParameters,
    },
    manifest: { dash: { autoCorrectDrift: false }, retryParameters },
  };
}
