// DASH by Shaka Player, for operators who want a second opinion on the same media.

import { AUDIO, AUTO, audioQuality, Engine, nameQualities, PlaybackFailure } from "./engine.js";
import { loadPlayer } from "./script.js";

/** The library measures from the end of its range, which is where the manifest wants the picture. */
const LOW_LATENCY = {
  lowLatencyMode: true,
  liveSync: {
    enabled: true,
    targetLatency: 0.05,
    targetLatencyTolerance: 0.05,
    minPlaybackRate: 0.97,
    maxPlaybackRate: 1.03,
  },
};

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

  close() {
    const player = this.#player;
    this.#player = null;
    return player?.destroy();
  }

  get live() {
    return this.#player?.isLive() ?? false;
  }

  get range() {
    return this.#player?.seekRange() ?? super.range;
  }

  /** Shaka Player's range ends where it means to play, not at the live edge. */
  get latency() {
    return (this.live && this.#player.getStats().liveLatency) || null;
  }

  get targetLatency() {
    return this.#player?.getManifest()?.presentationTimeline.getDelay() || super.targetLatency;
  }

  get playing() {
    if (this.selected === AUDIO) return this.quality(AUDIO);
    const track = this.#tracks.find(({ active }) => active);
    return this.qualityOf(track && keyOf(track));
  }

  goLive() {
    this.#player?.goToLive();
  }

  async start(position) {
    await this.close();
    const player = new shaka.Player();
    this.#player = player;
    player.addEventListener("error", ({ detail }) => this.#onError(detail));
    player.addEventListener("adaptation", () => this.changed());
    player.addEventListener("trackschanged", () => this.changed());
    player.configure({
      manifest: { disableVideo: this.selected === AUDIO },
      streaming: this.lowLatency ? LOW_LATENCY : {},
    });
    try {
      await player.attach(this.video);
      await player.load(this.url, position);
    } catch (error) {
      this.#onError(error);
      return;
    }
    if (this.#player === player) this.#readLadder();
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
    this.fail(missing ? "missing" : connection ? "connection" : "format", message ?? `code ${code}`);
  }
}

function keyOf(track) {
  return `${track.width}x${track.height}@${track.frameRate}:${track.bandwidth}`;
}
