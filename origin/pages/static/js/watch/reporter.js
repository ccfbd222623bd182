// Reports how playback is, with CMCD in event mode (CTA-5004-B), from the media element and the engine. The server's
// status has the address; without one, nothing is sent.

import { AUDIO } from "../engines/engine.js";
import { formatOf } from "../engines/index.js";
import { encode, MEDIA_TYPE, Token, Typed } from "./cmcd.js";

/** Between two requests. */
const INTERVAL_MS = 10_000;
/** After a change, so that others that follow are in the same request. */
const SOON_MS = 1000;
/** A player waits for a moment at every seek and switch; a viewer does not notice less. */
const STALL_MS = 100;
/** The server reads no more at once. Older ones are dropped. */
const MAX_WAITING = 50;

/** The states of `sta` that are used here. */
const STARTING = "s";
const PLAYING = "p";
const SEEKING = "k";
const REBUFFERING = "r";
const PAUSED = "a";
const ENDED = "e";
const FAILED = "f";
const QUIT = "q";

export class Reporter {
  #session;
  #video;
  #source = null;
  #id = null;
  #number = 0;
  #state = null;
  /** When the session was to start, and when the picture stopped moving: by performance.now(), or null. */
  #startAt = null;
  #stalledAt = null;
  #starved = false;
  #waiting = [];
  #timer = 0;
  #stallTimer = 0;
  #sentAt = -Infinity;

  constructor(session, video) {
    this.#session = session;
    this.#video = video;
    session.addEventListener("change", () => this.#onChange());
    session.addEventListener("interrupt", () => this.#onFailure());
    video.addEventListener("playing", () => this.#enter(PLAYING));
    video.addEventListener("waiting", () => this.#onWaiting());
    video.addEventListener("pause", () => this.#playsOrStalls && !video.ended && this.#enter(PAUSED));
    video.addEventListener("seeking", () => this.#state === PLAYING && this.#enter(SEEKING));
    setInterval(() => this.#playsOrStalls && this.#report("t"), INTERVAL_MS);
    document.addEventListener("visibilitychange", () => document.hidden && this.#send());
    window.addEventListener("pagehide", () => this.#onQuit());
    window.addEventListener("pageshow", ({ persisted }) => persisted && !video.paused && this.#enter(PLAYING));
  }

  get #playsOrStalls() {
    return [PLAYING, SEEKING, REBUFFERING].includes(this.#state);
  }

  #onChange() {
    const { opened, screen } = this.#session;
    if (opened && opened !== this.#source) this.#begin(opened);
    if (screen === "ended") this.#enter(ENDED);
    else if (screen === "refused") this.#enter(FAILED);
  }

  /** A broadcast that is opened again, after a failure, continues its session. */
  #begin(source) {
    const again = this.#source?.broadcast === source.broadcast && this.#state !== ENDED;
    this.#source = source;
    if (again) return;
    this.#leaveStall();
    this.#id = newId();
    this.#number = 0;
    this.#state = null;
    this.#starved = false;
    this.#startAt = source.at;
    this.#enter(STARTING);
  }

  #onWaiting() {
    if (this.#state !== PLAYING || this.#video.seeking || this.#stallTimer) return;
    const [at, ts] = [performance.now(), Date.now()];
    this.#stallTimer = setTimeout(() => {
      this.#stallTimer = 0;
      this.#stall(at, ts);
    }, STALL_MS);
  }

  #stall(at, ts) {
    this.#stalledAt ??= at;
    this.#starved = true;
    this.#enter(REBUFFERING, { ts });
  }

  /** The page tries again, so the picture only stands still. */
  #onFailure() {
    const { failure } = this.#session;
    this.#report("e", { ec: [failure.code] });
    if (this.#playsOrStalls) this.#stall(performance.now(), Date.now());
  }

  #onQuit() {
    if (this.#state !== null && this.#state !== ENDED && this.#state !== FAILED) this.#enter(QUIT);
    this.#send();
  }

  #enter(state, extra = {}) {
    if (this.#source === null) return;
    clearTimeout(this.#stallTimer);
    this.#stallTimer = 0;
    if (state === this.#state) return;
    this.#state = state;
    const first = state === PLAYING && this.#startAt !== null;
    const msd = first ? performance.now() - this.#startAt : null;
    if (first) this.#startAt = null;
    const bsd = state === REBUFFERING ? null : this.#leaveStall();
    this.#report("ps", { msd, bsd, ...extra });
  }

  /** The length of the stall that ends, as an inner list; null without one. */
  #leaveStall() {
    if (this.#stalledAt === null) return null;
    const ms = performance.now() - this.#stalledAt;
    this.#stalledAt = null;
    return [ms];
  }

  #report(event, extra = {}) {
    const { engine, player, stream } = this.#session;
    const plays = this.#state === PLAYING && engine !== null;
    const latency = plays ? engine.latency : null;
    this.#waiting.push(
      encode({
        v: 2,
        cid: stream,
        sid: this.#id,
        sn: this.#number,
        e: new Token(event),
        ts: Date.now(),
        sta: this.#state && new Token(this.#state),
        sf: new Token(formatOf(player) === "hls" ? "h" : "d"),
        st: engine && new Token(engine.live ? (engine.lowLatency ? "ll" : "l") : "v"),
        br: bitrateOf(engine, player),
        ltc: latency === null ? null : latency * 1000,
        bs: this.#starved,
        ...extra,
      }),
    );
    this.#number += 1;
    this.#starved = false;
    this.#waiting.splice(0, this.#waiting.length - MAX_WAITING);
    if (this.#timer) return;
    const wait = Math.max(SOON_MS, this.#sentAt + INTERVAL_MS - performance.now());
    this.#timer = setTimeout(() => this.#send(), wait);
  }

  /**
   * With a beacon, which the browser sends even if the page goes away. `quiet`: the browser would log a refusal as an
   * error, and nothing is to be done about it.
   */
  #send() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const address = this.#session.status?.reports;
    const reports = this.#waiting.splice(0);
    if (!address || reports.length === 0) return;
    this.#sentAt = performance.now();
    navigator.sendBeacon(`${address}?quiet=1`, new Blob([`${reports.join("\n")}\n`], { type: MEDIA_TYPE }));
  }
}

/** In kbit/s, as an inner list. The bitrate of an HLS variant is that of its picture and its sound together. */
function bitrateOf(engine, player) {
  const playing = engine?.playing;
  if (!playing?.bitrate) return null;
  const type = playing.id === AUDIO ? "a" : formatOf(player) === "hls" ? "av" : "v";
  return [new Typed(playing.bitrate / 1000, type)];
}

/** A UUID. `crypto.randomUUID` does not exist on pages without HTTPS. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
