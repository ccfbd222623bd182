// DASH by Shaka Player, for operators who want a second opinion on the same media.

import { AUDIO, AUTO, audioQuality, Engine, nameQualities, PlaybackFailure } from "./engine.js";
import { Rejoin } from "./rejoin.js";
import { loadPlayer } from "./script.js";
import { settle } from "./settle.js";
import { measureBandwidth } from "./shaka-bandwidth.js";

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

  close() {
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
    return this.range.end - this.video.currentTime - (this.lowLatency ? this.#hold : 0);
  }

  /** From the range's end, which is the last part's at low latency, to where the picture is meant to be, in seconds. */
  get #hold() {
    const { presentationTimeline: timeline } = this.#player.getManifest();
    const part = timeline.getMaxSegmentDuration() - timeline.getAvailabilityTimeOffset();
    return Math.max(0, this.targetLatency - part);
  }

  get playing() {
    if (this.selected === AUDIO) return this.quality(AUDIO);
    const track = this.#tracks.find(({ active }) => active);
    return this.qualityOf(track && keyOf(track));
  }

  goLive() {
    if (this.live) this.video.currentTime += this.drift;
  }

  async start(position) {
    await this.close();
    const player = new shaka.Player();
    this.#player = player;
    player.addEventListener("error", ({ detail }) => this.#onError(detail));
    player.addEventListener("adaptation", () => this.changed());
    player.addEventListener("trackschanged", () => this.changed());
    player.configure({ manifest: { disableVideo: this.selected === AUDIO } });
    if (this.lowLatency) {
      player.configure(lowLatencySettings());
      player.configurationForLowLatency(lowLatencyStreamSettings());
      measureBandwidth(player, shaka);
      player.addEventListener("canupdatestarttime", () => this.live && this.#hang(position));
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

  /** The manifest is read: only now is it known how far from the range's end the picture is meant to be. */
  #hang(position) {
    this.#player.configure("streaming.liveSync.targetLatency", this.#hold);
    if (position === null && this.#hold > 0) this.#player.updateStartTime(-this.#hold);
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
    const missing = code === Code.BAD_HTTP_STATUS && (data[1] === 404 || data[1] === 410);
    const connection = category === Category.NETWORK;
    // Of a live stream the library first tells, and then tries again for as long as it takes.
    if (connection && this.live && !missing) return;
    this.fail(missing ? "missing" : connection ? "connection" : "format", message ?? `code ${code}`);
  }
}

function keyOf(track) {
  return `${track.width}x${track.height}@${track.frameRate}:${track.bandwidth}`;
}

/**
 * The library would hold the picture back by the presentation's delay and by the part that is being made: here its
 * range ends at the last part, and the rest is for liveSync.
 */
function lowLatencySettings() {
  return {
    manifest: { defaultPresentationDelay: 0, dash: { ignoreSuggestedPresentationDelay: true } },
    streaming: {
      lowLatencyMode: true,
      liveSync: { enabled: true, targetLatencyTolerance: 0.05, minPlaybackRate: 0.97, maxPlaybackRate: 1.03 },
    },
    // The averages are of so many seconds of downloading, of which there are few: a part on a good network takes
    // milliseconds, and when it becomes a thin one a second's buffer is all there is.
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
 * What the library sets by itself where the manifest is a low-latency one, but for the prefetch: what is fetched ahead
 * takes a thin network's last bits, and is of the old rung where that changes.
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
