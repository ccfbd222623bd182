// What is played, and when: from the stream's status, the media element and the engine to one of the page's screens.

import { AUTO, PlaybackFailure } from "../engines/engine.js";
import { formatOf, loadEngine } from "../engines/index.js";

const FAST_MS = 3000;
const SLOW_MS = 10_000;
const DRAIN_MS = 15_000;
const STUCK_MS = 4000;
const STEADY_MS = 10_000;
const MAX_RETRY_MS = 15_000;
const STARTING_MS = 1000;
const STARTING_TRIES = 15;
const KEPT_ERRORS = 20;

/**
 * Events: `change` when `screen` or what plays did.
 *
 * `screen` is one of `loading`, `ready` (waits for the viewer to press play), `missing`, `offline`, `starting`,
 * `playing`, `waiting` (the broadcaster is away and the picture has run out), `ended`, `error`.
 */
export class Session extends EventTarget {
  screen = "loading";
  status = null;
  failure = null;
  engine = null;
  /** What was opened last: `{broadcast, hls, dash, recording, at}`, `at` on performance.now's clock; null at first. */
  opened = null;
  /** A broadcast that is on air while an older one is being watched, or null. */
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

  /** `player` is an engine's name. */
  constructor({ options, player, video, poller }) {
    super();
    this.stream = options.stream;
    this.player = player;
    this.#options = options;
    this.#video = video;
    this.#poller = poller;
    this.#wanted = options.autoplay;
    if (options.broadcast) this.#recording = fixedBroadcast(options);
    poller.addEventListener("status", ({ detail }) => this.#settle(detail));
    video.addEventListener("ended", () => this.#onEnded());
    video.addEventListener("waiting", () => poller.refresh());
    video.addEventListener("timeupdate", () => this.#onTime());
  }

  /** Whether what plays is still being made: only then is there a live edge to be at. */
  get live() {
    return Boolean(this.engine?.live);
  }

  /** Whether the page goes live by itself when the next broadcast does: not where its address names one of the past. */
  get followsLive() {
    return !this.#options.broadcast;
  }

  /** The viewer pressed play on the page that waits for it. */
  begin() {
    this.#wanted = true;
    this.#show("loading");
    this.#poller.refresh();
  }

  /** Play `source`, a broadcast that has ended, from its start. */
  watchRecording(source) {
    this.#wanted = true;
    this.#recording = source;
    this.#position = null;
    this.#open(this.#recording, true);
  }

  /** Leave the recording for what is on air. */
  watchLive() {
    this.#recording = null;
    this.#position = null;
    this.#open(this.status, false);
  }

  select(id) {
    this.#quality = id;
    return this.engine?.select(id);
  }

  #settle(status) {
    this.status = status;
    this.offer = null;
    this.#poller.interval = this.screen === "playing" && status.state === "live" ? SLOW_MS : FAST_MS;
    if (this.#retry) this.#changed();
    else if (!this.#wanted && (isOnAir(status) || this.#recording)) this.#show("ready");
    else if (this.#recording) this.#settleRecording(status);
    else if (isOnAir(status)) this.#settleOnAir(status);
    else this.#settleOffAir(status);
  }

  #settleRecording(status) {
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

  #settleOnAir(status) {
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

  #settleOffAir(status) {
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

  /** The next broadcast is on air; the one that is watched is played out first, but not for ever. */
  #isPlayedOut() {
    this.#overtakenAt ??= performance.now();
    if (this.#video.paused && this.#seenPicture) return false;
    return this.#starved || performance.now() - this.#overtakenAt > DRAIN_MS;
  }

  /**
   * The broadcast is over but the player does not say so: the server crashed before it could end the playlist, or the
   * last picture comes before the last sound.
   */
  #isStuck() {
    if (!this.#starved || !this.#seenPicture) return false;
    this.#stalledAt ??= performance.now();
    return performance.now() - this.#stalledAt > STUCK_MS;
  }

  get #starved() {
    return this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  get #seenPicture() {
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
      await engine.open(this.#signed(opened[formatOf(this.player)]), recording ? this.#position : null);
      if (this.engine === engine) await this.#play();
    } catch (error) {
      if (this.opened === opened) this.#fail(asFailure(error));
    }
  }

  /** A private stream's address with the viewer's token; the server answers where to go on from there. */
  #signed(path) {
    const { token } = this.#options;
    return token ? `${path}?token=${encodeURIComponent(token)}` : path;
  }

  /** Start with sound where the browser lets us, silently where it does not. */
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
    if (!this.engine || !this.#seenPicture || this.#starved) return;
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
    this.errors = [...this.errors, `${failure.code}: ${failure.message}`].slice(-KEPT_ERRORS);
    this.failure = failure;
    this.#position = this.opened?.recording ? this.#video.currentTime || this.#position : null;
    const starting = failure.code === "missing" && this.status && isOnAir(this.status) && !this.#seenPicture;
    this.#close();
    this.#show(starting ? "starting" : "error");
    const backOff = Math.min(MAX_RETRY_MS, 1000 * 2 ** this.#failures);
    const delay = starting && this.#failures < STARTING_TRIES ? STARTING_MS : backOff;
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

/** A past broadcast's addresses follow from its id. */
function fixedBroadcast({ stream, broadcast }) {
  const path = `/live/${stream}/${broadcast}`;
  return { broadcast, hls: `${path}/master.m3u8`, dash: `${path}/manifest.mpd` };
}

function asFailure(error) {
  return error instanceof PlaybackFailure ? error : new PlaybackFailure("script", String(error));
}
