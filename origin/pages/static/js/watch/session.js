// Decides what to play, and which screen the page shows, from the stream's status, the media element and the engine.

import { AUTO, PlaybackFailure } from "../engines/engine.js";
import { formatOf, loadEngine } from "../engines/index.js";

const FAST_POLL_MS = 3000;
const SLOW_POLL_MS = 10_000;
/** How long the previous broadcast may still play after the next one has started. */
const DRAIN_MS = 15_000;
/** After a stall of this length, a broadcast that the server reports as over has ended. */
const STUCK_MS = 4000;
/** After playing for this long, earlier failures no longer count. */
const STEADY_MS = 10_000;
const MAX_RETRY_MS = 15_000;
const STARTING_RETRY_MS = 1000;
const STARTING_RETRIES = 15;
const MAX_ERRORS = 20;

/**
 * Event: `change` when `screen` or what is played has changed.
 *
 * `screen` is one of `loading`, `ready` (waits for the viewer to press play), `missing`, `offline`, `starting`,
 * `playing`, `waiting` (the broadcaster is disconnected and the buffer is empty), `ended`, `error`.
 */
export class Session extends EventTarget {
  screen = "loading";
  status = null;
  failure = null;
  engine = null;
  /** The source opened last: `{broadcast, hls, dash, recording, at}`, with `at` from performance.now(); null at first. */
  opened = null;
  /** The id of a broadcast that is on air while the viewer watches an older one, or null. */
  offer = null;
  errors = [];
  #options;
  #video;
  #poller;
  #wanted;
  #recording = null;
  #quality = AUTO;
  #position = null;
  #failures = 0;
  #retry = 0;
  #overtakenAt = null;
  #stalledAt = null;

  /** `player` is the name of an engine. */
  constructor({ options, player, video, poller }) {
    super();
    this.stream = options.stream;
    this.player = player;
    this.#options = options;
    this.#video = video;
    this.#poller = poller;
    this.#wanted = options.autoplay;
    if (options.broadcast) this.#recording = fixedBroadcast(options);
    poller.addEventListener("status", ({ detail }) => this.#onStatus(detail));
    video.addEventListener("ended", () => this.#onEnded());
    video.addEventListener("waiting", () => poller.refresh());
    video.addEventListener("timeupdate", () => this.#onTime());
  }

  /** Whether the source is a broadcast that has not ended: only then is there a live edge. */
  get live() {
    return Boolean(this.engine?.live);
  }

  /** Whether the page plays the next broadcast automatically: not if its address names a past one. */
  get followsLive() {
    return !this.#options.broadcast;
  }

  /** The viewer pressed play on the screen `ready`. */
  begin() {
    this.#wanted = true;
    this.#show("loading");
    this.#poller.refresh();
  }

  /** Play `source`, an ended broadcast, from its start. */
  watchRecording(source) {
    this.#wanted = true;
    this.#recording = source;
    this.#position = null;
    this.#open(this.#recording, true);
  }

  /** Leave the recording and play the broadcast that is on air. */
  watchLive() {
    this.#recording = null;
    this.#position = null;
    this.#open(this.status, false);
  }

  select(id) {
    this.#quality = id;
    return this.engine?.select(id);
  }

  #onStatus(status) {
    this.status = status;
    this.offer = null;
    this.#poller.interval = this.screen === "playing" && status.state === "live" ? SLOW_POLL_MS : FAST_POLL_MS;
    if (this.#retry) this.#changed();
    else if (!this.#wanted && (isOnAir(status) || this.#recording)) this.#show("ready");
    else if (this.#recording) this.#updateRecording(status);
    else if (isOnAir(status)) this.#updateOnAir(status);
    else this.#updateOffAir(status);
  }

  #updateRecording(status) {
    const ended = this.screen === "ended";
    const another = isOnAir(status) && status.broadcast !== this.#recording.broadcast;
    if (another && ended && this.followsLive) {
      this.watchLive();
    } else if (!this.engine && !ended) {
      this.#open(this.#recording, true);
    } else {
      this.offer = another ? status.broadcast : null;
      this.#changed();
    }
  }

  #updateOnAir(status) {
    const ended = this.screen === "ended";
    if (this.opened?.broadcast === status.broadcast) {
      if (ended) this.#changed();
      else if (!this.engine) this.#open(status, false);
      else if (this.#starved && status.state === "waiting") this.#show("waiting");
      else this.#show(this.#starved && this.screen === "starting" ? "starting" : "playing");
    } else if (!this.engine || ended || this.#isPlayedOut()) {
      this.#open(status, false);
    } else {
      this.offer = status.broadcast;
      this.#changed();
    }
  }

  #updateOffAir(status) {
    const ended = this.screen === "ended";
    if (this.engine && !ended) {
      if (status.state === "idle" && this.#isStuck()) this.#onEnded();
      else this.#changed();
    } else if (status.state === "missing") {
      this.#show("missing");
    } else if (ended) {
      this.#changed();
    } else if (status.state === "unreachable") {
      this.failure = new PlaybackFailure("connection", "the server does not answer");
      this.#show("error");
    } else {
      this.#show("offline");
    }
  }

  /** Whether to switch to the next broadcast, which is on air: the current one may play to its end, up to DRAIN_MS. */
  #isPlayedOut() {
    this.#overtakenAt ??= performance.now();
    if (this.#video.paused && this.#hasPlayed) return false;
    return this.#starved || performance.now() - this.#overtakenAt > DRAIN_MS;
  }

  /**
   * Whether the broadcast is over but the player has not reported its end: the server crashed before it ended the playlist,
   * or the last video frame is before the last audio.
   */
  #isStuck() {
    if (!this.#starved || !this.#hasPlayed) return false;
    this.#stalledAt ??= performance.now();
    return performance.now() - this.#stalledAt > STUCK_MS;
  }

  get #starved() {
    return this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  get #hasPlayed() {
    return this.#video.currentTime > 0;
  }

  async #open(source, recording) {
    clearTimeout(this.#retry);
    this.#retry = 0;
    const { broadcast, hls, dash } = source;
    const again = this.opened?.broadcast === broadcast;
    const opened = { broadcast, hls, dash, recording, at: performance.now() };
    this.opened = opened;
    this.#overtakenAt = this.#stalledAt = null;
    this.#close();
    this.offer = null;
    this.failure = null;
    this.#show(again && this.screen === "starting" ? "starting" : "playing");
    try {
      const Engine = await loadEngine(this.player);
      if (this.opened !== opened) return;
      const engine = new Engine(this.#video, this.#options);
      this.engine = engine;
      engine.addEventListener("change", () => this.#onEngineChange());
      engine.addEventListener("failure", ({ detail }) => this.engine === engine && this.#fail(detail));
      await engine.open(this.#withToken(opened[formatOf(this.player)]), recording ? this.#position : null);
      if (this.engine === engine) await this.#play();
    } catch (error) {
      if (this.opened === opened) this.#fail(asFailure(error));
    }
  }

  /** A private stream's address with the viewer's token, which the server redirects to a path token. */
  #withToken(path) {
    const { token } = this.#options;
    return token ? `${path}?token=${encodeURIComponent(token)}` : path;
  }

  /** Start with sound if the browser allows it, otherwise muted. */
  async #play() {
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError" || this.#video.muted) return;
      this.#video.muted = true;
      await this.#video.play().catch(() => {});
    }
  }

  #close() {
    this.engine?.close();
    this.engine = null;
  }

  #onEngineChange() {
    const { engine } = this;
    if (this.#quality !== engine.selected && engine.quality(this.#quality)) engine.select(this.#quality);
    this.#changed();
  }

  #onTime() {
    if (!this.engine || !this.#hasPlayed || this.#starved) return;
    this.#stalledAt = null;
    if (performance.now() - this.opened.at > STEADY_MS) this.#failures = 0;
    if (this.screen === "starting" || this.screen === "waiting") this.#show("playing");
  }

  #onEnded() {
    if (!this.engine) return;
    this.#show("ended");
    this.#poller.refresh();
  }

  #fail(failure) {
    this.errors = [...this.errors, `${failure.code}: ${failure.message}`].slice(-MAX_ERRORS);
    this.failure = failure;
    this.#position = this.opened?.recording ? this.#video.currentTime || this.#position : null;
    const starting = failure.code === "missing" && this.status && isOnAir(this.status) && !this.#hasPlayed;
    this.#close();
    this.#show(starting ? "starting" : "error");
    const backOff = Math.min(MAX_RETRY_MS, 1000 * 2 ** this.#failures);
    const delay = starting && this.#failures < STARTING_RETRIES ? STARTING_RETRY_MS : backOff;
    this.#failures += 1;
    this.#retry = setTimeout(() => {
      this.#retry = 0;
      this.#poller.refresh();
    }, delay);
  }

  #show(screen) {
    this.screen = screen;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function isOnAir(status) {
  return (status.state === "live" || status.state === "waiting") && Boolean(status.hls);
}

/** The addresses of a past broadcast, which follow from its id. */
function fixedBroadcast({ stream, broadcast }) {
  const path = `/live/${stream}/${broadcast}`;
  return { broadcast, hls: `${path}/master.m3u8`, dash: `${path}/manifest.mpd` };
}

function asFailure(error) {
  return error instanceof PlaybackFailure ? error : new PlaybackFailure("script", String(error));
}
