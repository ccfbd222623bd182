// DASH with dash.js, so that operators can compare it with HLS on the same media.

import { AUDIO, AUTO, audioQuality, codeOf, Engine, nameQualities } from "./engine.js";
import { Nudge } from "./nudge.js";
import { bufferedAhead, Pace } from "./pace.js";
import { Rejoin } from "./rejoin.js";
import { loadPlayer } from "./script.js";
import { settle } from "./settle.js";

/** The smallest seek that the browser does not ignore, in seconds. */
const NUDGE_S = 0.01;

let dashjs;

export async function load() {
  dashjs = await loadPlayer("dash.mediaplayer.min.js", "dashjs");
  return DashEngine;
}

class DashEngine extends Engine {
  name = "dash.js";
  #player = null;
  #pace = null;
  #rejoin = null;
  #nudge = null;

  stop() {
    this.#nudge?.close();
    this.#pace?.close();
    this.#rejoin?.close();
    this.#player?.destroy();
    this.#player = this.#pace = this.#rejoin = this.#nudge = null;
  }

  get live() {
    return this.#ready && this.#player.isDynamic();
  }

  get range() {
    const window = this.live ? this.#player.getDvrWindow() : {};
    return window.size > 0 ? window : super.range;
  }

  get latency() {
    const seconds = this.live ? this.#player.getCurrentLiveLatency() : NaN;
    return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
  }

  get targetLatency() {
    return (this.live && this.#player.getTargetLiveDelay()) || super.targetLatency;
  }

  get playing() {
    if (this.selected === AUDIO) return this.quality(AUDIO);
    return this.qualityOf(this.#ready ? this.#player.getCurrentRepresentationForType("video")?.id : null);
  }

  seekToLive() {
    this.#player?.seekToOriginalLive();
  }

  /** Returns once the manifest is read: the library misses an earlier `play` and treats the video as paused. */
  async start(position) {
    this.stop();
    const player = dashjs.MediaPlayer().create();
    this.#player = player;
    const { events } = dashjs.MediaPlayer;
    player.on(events.STREAM_INITIALIZED, () => this.#player === player && this.#readLadder());
    player.on(events.QUALITY_CHANGE_RENDERED, () => this.changed());
    player.on(events.ERROR, ({ error }) => this.#onError(error));
    player.initialize();
    player.updateSettings({
      debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE },
      streaming: this.lowLatency ? lowLatencySettings() : { applyServiceDescription: false },
    });
    // The library's default time servers are on other hosts; the manifest names ours.
    player.clearDefaultUTCTimingSources();
    if (this.selected === AUDIO) {
      player.registerCustomCapabilitiesFilter((representation) => !representation.mimeType?.startsWith("video/"));
    }
    if (this.lowLatency) {
      this.#pace = new Pace(this);
      this.#rejoin = new Rejoin(this);
    }
    this.#nudge = new Nudge(this.video);
    player.setAutoPlay(false);
    player.attachView(this.video);
    await new Promise((resolve) => {
      player.on(events.STREAM_INITIALIZED, resolve);
      this.addEventListener("failure", resolve, { once: true });
      player.attachSource(this.url, position ?? undefined);
    });
    if (position !== null) this.#paint();
    else if (this.lowLatency) await settle(this);
  }

  /** A paused video has no picture after the library's first seek, which is before anything is buffered. Seek again. */
  #paint() {
    const { video } = this;
    const nudge = () => {
      const unpainted = video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
      if (unpainted && bufferedAhead(video) === 0) return;
      video.removeEventListener("progress", nudge);
      if (unpainted && this.#player) video.currentTime += NUDGE_S;
    };
    video.addEventListener("progress", nudge);
  }

  applyQuality() {
    const quality = this.quality(this.selected);
    this.#player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: this.selected === AUTO } } } });
    if (quality) this.#player.setRepresentationForTypeById("video", quality.key);
  }

  get #ready() {
    return this.#player?.isReady() ?? false;
  }

  #readLadder() {
    if (this.selected !== AUDIO) {
      const levels = this.#player
        .getRepresentationsByType("video")
        .map(({ id, width, height, frameRate, bandwidth }) => ({
          key: id,
          width,
          height,
          frameRate,
          bitrate: bandwidth,
        }));
      const audio = this.#player.getRepresentationsByType("audio").sort((a, b) => a.bandwidth - b.bandwidth)[0];
      this.qualities = nameQualities(levels);
      if (audio && levels.length) this.qualities.push(audioQuality(audio.bandwidth, audio.id));
      this.applyQuality();
    }
    this.changed();
  }

  #onError({ code, message, data }) {
    const { errors } = dashjs.MediaPlayer;
    const unsupported = [errors.CAPABILITY_MEDIASOURCE_ERROR_CODE, errors.MEDIASOURCE_TYPE_UNSUPPORTED_CODE];
    this.fail(unsupported.includes(code) ? "format" : codeOf(data?.response?.status), message);
  }
}

/**
 * The target latency is the manifest's. The half-lives count seconds of downloading. They are short because a part takes
 * only milliseconds on a fast network, and if the network slows down, the buffer holds only about a second.
 */
function lowLatencySettings() {
  return {
    liveCatchup: { enabled: false },
    // The library numbers segments by the clock, and after an interruption the next one comes later than that. It tries
    // three times as often as these factors say, in intervals of a second divided by the other.
    retryAttempts: { lowLatencyMultiplyFactor: 20 },
    retryIntervals: { lowLatencyReductionFactor: 4 },
    abr: {
      throughput: {
        lowLatencyDownloadTimeCalculationMode: "lowLatencyDownloadTimeCalculationModeMoofParsing",
        ewma: { throughputFastHalfLifeSeconds: 0.05, throughputSlowHalfLifeSeconds: 1 },
      },
    },
  };
}
