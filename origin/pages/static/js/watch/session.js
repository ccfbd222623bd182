// Decides what to play, and which screen the page shows, from the stream's status, the media element and the engine.

import { AUTO, PlaybackFailure } from "../engines/engine.js";
import { formatOf, loadEngine } from "../engines/index.js";
import { Retry } from "./retry.js";
import { isOnAir, pastBroadcast } from "./source.js";

const FAST_POLL_MS = 3000;
const SLOW_POLL_MS = 10_000;
/** While the server does not answer: it may only be restarting. */
const RECONNECT_POLL_MS = 1000;
const RECONNECT_POLLS = 20;
/** How long the previous broadcast may still play after the next one has started. */
const DRAIN_MS = 15_000;
/** After a stall of this length, a broadcast that the server reports as over has ended. */
const STUCK_MS = 4000;
/** After playing for this long, earlier failures no longer count. */
const STEADY_MS = 10_000;
const MAX_ERRORS = 20;

/**
 * Events: `change` when `screen` or what is played has changed; `interrupt` before the picture is unloaded after a failure;
 * `skip` when the viewer's position has left the live window, and playback has moved to the earliest one.
 *
 * `screen` is one of `loading`, `ready` (waits for the viewer to press play), `missing`, `refused` (the stream is private),
 * `offline`, `starting`, `playing`, `waiting` (the broadcaster is disconnected and the buffer is empty), `ended`, `error`.
 */
export class Session extends EventTarget {
  screen = "loading";
  /** The server's latest answer, which is kept while the server is not `reachable`. */
  status = null;
  reachable = true;
  /** The reason why the server does not admit this viewer: `{code, detail}`, or null. */
  refusal = null;
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
  #paused = false;
  #opening = false;
  #retry = new Retry();
  #unanswered = 0;
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
    if (options.broadcast) this.#recording = pastBroadcast(options);
    poller.addEventListener("status", ({ detail }) => this.#onStatus(detail));
    video.addEventListener("ended", () => this.#onEnded());
    video.addEventListener("waiting", () => poller.refresh());
    video.addEventListener("timeupdate", () => this.#onTime());
  }

  /** Whether the source is a broadcast that has not ended: only then is there a live edge. */
  get live() {
    return Boolean(this.engine?.live);
  }

  /** Whether the picture is of this moment, as far as the page knows: the broadcaster sends, and the server answers. */
  get onAir() {
    return this.live && this.reachable && this.status?.state === "live";
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

  /** Pause or play; while the player loads, this decides what it does once it has loaded. */
  togglePlay() {
    if (this.#opening) this.#paused = !this.#paused;
    else if (this.engine && this.#video.paused) this.#video.play().catch(() => {});
    else this.#video.pause();
  }

  /** Play `source`, an ended broadcast, from its start. */
  watchRecording(source) {
    this.#wanted = true;
    this.#recording = source;
    this.#forgetPosition();
    this.#open(this.#recording, true);
  }

  /** Leave the recording and play the broadcast that is on air. */
  watchLive() {
    this.#recording = null;
    this.#forgetPosition();
    this.#open(this.status, false);
  }

  /** The viewer has seen the refusal, and asks again. */
  retryAccess() {
    this.#show("loading");
    this.#poller.retryAccess();
  }

  select(id) {
    this.#quality = id;
    return this.engine?.select(id);
  }

  #onStatus(status) {
    const before = this.reachable;
    this.reachable = status.state !== "unreachable";
    this.#unanswered = this.reachable ? 0 : this.#unanswered + 1;
    if (this.reachable) this.status = status;
    if (this.reachable && !before) this.#retry.cancel();
    this.refusal = status.refusal;
    this.offer = null;
    const steady = this.screen === "playing" && status.state === "live" && !this.engine?.soundOnly;
    const reconnects = !this.reachable && this.#unanswered <= RECONNECT_POLLS;
    this.#poller.interval = steady ? SLOW_POLL_MS : reconnects ? RECONNECT_POLL_MS : FAST_POLL_MS;
    if (status.refusal && !this.engine) this.#refuse();
    else if (this.#retry.pending) this.#changed();
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
      if (this.engine?.soundOnly) this.#awaitPicture(status);
    } else if (!this.engine || ended || this.#isPlayedOut()) {
      this.#forgetPosition();
      this.#open(status, false);
    } else {
      this.offer = status.broadcast;
      this.#changed();
    }
  }

  #showDisconnected() {
    this.failure = new PlaybackFailure("connection", "the server does not answer");
    this.#show("error");
  }

  #refuse() {
    this.#retry.cancel();
    this.#poller.interval = SLOW_POLL_MS;
    this.#show("refused");
  }

  /** An HLS player loads the multivariant playlist once. Open it again if it has a picture now. */
  async #awaitPicture(status) {
    const { opened } = this;
    const playlist = await fetch(this.#withToken(status.hls)).then((answer) => answer.text()).catch(() => "");
    if (this.opened !== opened || !playlist.includes("RESOLUTION=")) return;
    this.#keepPosition();
    this.#open(status, false);
  }

  #updateOffAir(status) {
    const ended = this.screen === "ended";
    if (this.engine && !ended) {
      if (status.state === "idle" && this.#isStuck()) this.#onEnded();
      else if (!this.reachable && this.#starved && !this.#video.paused) this.#showDisconnected();
      else this.#changed();
    } else if (status.state === "missing") {
      this.#show("missing");
    } else if (ended) {
      this.#changed();
    } else if (!this.reachable) {
      this.#showDisconnected();
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
    this.#retry.cancel();
    const { broadcast, hls, dash } = source;
    const again = this.opened?.broadcast === broadcast;
    const opened = { broadcast, hls, dash, recording, at: performance.now() };
    this.opened = opened;
    this.#opening = true;
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
      engine.addEventListener("skip", () => this.dispatchEvent(new Event("skip")));
      engine.addEventListener("failure", ({ detail }) => this.engine === engine && this.#fail(detail));
      await engine.open(this.#withToken(opened[formatOf(this.player)]), this.#position);
      if (this.engine !== engine) return;
      this.#opening = false;
      if (!this.#paused) await this.#play();
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
    if (performance.now() - this.opened.at > STEADY_MS) this.#retry.forget();
    if (["starting", "waiting", "error"].includes(this.screen)) this.#show("playing");
  }

  #onEnded() {
    if (!this.engine) return;
    this.#show("ended");
    this.#poller.refresh();
  }

  #fail(failure) {
    this.errors = [...this.errors, `${failure.code}: ${failure.message}`].slice(-MAX_ERRORS);
    this.failure = failure;
    this.#keepPosition();
    const starting = failure.code === "missing" && this.status && isOnAir(this.status) && !this.#hasPlayed;
    this.#opening = false;
    const refused = failure.code === "refused";
    this.dispatchEvent(new Event("interrupt"));
    this.#close();
    this.#show(starting ? "starting" : "error");
    this.#poller.doubtAccess({ refused });
    this.#retry.schedule(() => this.#poller.refresh(), { starting, atOnce: refused });
  }

  /** In a recording, and behind live on purpose, the next engine continues here, and stays paused if this one is. */
  #keepPosition() {
    if (!this.engine || !this.#hasPlayed) return;
    const stays = this.opened.recording || this.engine.hold.on;
    this.#position = stays ? this.engine.position : null;
    this.#paused = stays && this.#video.paused;
  }

  #forgetPosition() {
    this.#position = null;
    this.#paused = false;
  }

  #show(screen) {
    this.screen = screen;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function asFailure(error) {
  return error instanceof PlaybackFailure ? error : new PlaybackFailure("script", String(error));
}
