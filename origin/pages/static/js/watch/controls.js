// The control bar: play, volume, position, quality, full screen. It shows the state of the video element and has no state
// of its own.

import { h, setText } from "../dom.js";
import { BEHIND_S } from "../engines/hold.js";
import { formatClock, formatLatency } from "../format.js";
import { icon } from "../icons.js";
import { recall, remember } from "../memory.js";
import { QualityMenu } from "./menu.js";

const VOLUME = "volume";
const WORDS = {
  live: "LIVE",
  behind: "LIVE",
  waiting: "RECONNECTING",
  unreachable: "NO CONNECTION",
  recording: "RECORDING",
};

export class Controls {
  #session;
  #video;
  #stage;
  #dragging = false;

  constructor({ session, video, stage, bar, unmute }) {
    this.#session = session;
    this.#video = video;
    this.#stage = stage;
    this.menu = new QualityMenu(session);
    this.play = iconButton("play", () => this.togglePlay());
    this.mute = iconButton("mute", () => this.toggleMute());
    this.volume = h("input", {
      type: "range",
      class: "volume",
      min: 0,
      max: 1,
      step: "any",
      "aria-label": "Volume",
    });
    this.seek = h("input", { type: "range", class: "seek", min: 0, max: 1, step: "any", "aria-label": "Position" });
    this.badge = h("button", { type: "button", class: "badge", id: "badge" }, h("i", {}), h("b", {}), h("span", {}));
    this.golive = h("button", { type: "button", class: "golive", id: "golive", hidden: true }, "Go live");
    this.clock = h("span", { class: "clock" });
    this.pip = iconButton("pip", () => this.togglePip(), "pip", "Picture in picture (i)");
    this.full = iconButton("full", () => this.toggleFullscreen());
    this.unmute = unmute;
    this.unmute.replaceChildren(icon("muted"), "Tap for sound");
    bar.append(
      this.seek,
      h(
        "div",
        { class: "row" },
        this.play,
        this.mute,
        this.volume,
        this.badge,
        this.golive,
        this.clock,
        h("span", { class: "gap" }),
        this.menu.element,
        this.pip,
        this.full,
      ),
    );
    this.pip.hidden = !document.pictureInPictureEnabled;
    this.full.hidden = !this.#canFullscreen;
    this.#listen();
    this.#restoreVolume();
    this.update();
  }

  togglePlay() {
    this.#session.togglePlay();
  }

  toggleMute() {
    this.#video.muted = !this.#video.muted;
    if (!this.#video.muted && this.#video.volume === 0) this.#video.volume = 0.5;
  }

  changeVolume(step) {
    this.#video.volume = Math.min(1, Math.max(0, this.#video.volume + step));
    this.#video.muted = this.#video.volume === 0;
  }

  seekBy(seconds) {
    this.#session.engine?.seek(this.#video.currentTime + seconds);
  }

  goLive() {
    this.#session.engine?.goLive();
    this.#video.play().catch(() => {});
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.#stage.requestFullscreen) this.#stage.requestFullscreen().catch(() => {});
    else this.#video.webkitEnterFullscreen?.();
  }

  togglePip() {
    if (document.pictureInPictureElement) document.exitPictureInPicture();
    else this.#video.requestPictureInPicture().catch(() => {});
  }

  update() {
    const { paused, muted, volume } = this.#video;
    setButton(this.play, paused ? "play" : "pause", paused ? "Play (space)" : "Pause (space)");
    const silent = muted || volume === 0;
    setButton(this.mute, silent ? "muted" : "volume", silent ? "Sound on (m)" : "Sound off (m)");
    const full = Boolean(document.fullscreenElement);
    setButton(
      this.full,
      full ? "fullscreenExit" : "fullscreen",
      full ? "Leave full screen (f)" : "Full screen (f)",
    );
    this.volume.value = silent ? 0 : volume;
    fill(this.volume);
    this.unmute.hidden = !(muted && !paused && this.#session.screen === "playing");
    this.menu.update();
    this.#updatePosition();
  }

  #updatePosition() {
    const { engine, live, onAir, opened } = this.#session;
    const { start, end } = engine?.range ?? { start: 0, end: 0 };
    const latency = engine?.latency ?? null;
    const behind = onAir && (engine.drift ?? 0) >= BEHIND_S;
    const [dot, word, distance] = this.badge.children;
    this.badge.hidden = !live && !opened?.recording;
    this.badge.dataset.state = this.#badgeState(behind);
    this.badge.disabled = !behind;
    dot.hidden = !live;
    setText(word, WORDS[this.badge.dataset.state]);
    setText(distance, onAir && latency !== null ? formatLatency(latency) : "");
    this.golive.hidden = !behind;
    const length = end - start;
    this.seek.disabled = length < 1;
    setText(
      this.clock,
      live || length < 1 ? "" : `${formatClock(this.#video.currentTime - start)} / ${formatClock(length)}`,
    );
    if (this.#dragging) return;
    Object.assign(this.seek, { min: start, max: Math.max(end, start + 1), value: this.#video.currentTime });
    const spoken =
      live && latency !== null
        ? `${formatLatency(latency)} behind live`
        : formatClock(this.#video.currentTime - start);
    this.seek.setAttribute("aria-valuetext", spoken);
    fill(this.seek);
  }

  #badgeState(behind) {
    const { live, onAir, reachable } = this.#session;
    if (!live) return "recording";
    if (!reachable) return "unreachable";
    if (!onAir) return "waiting";
    return behind ? "behind" : "live";
  }

  #listen() {
    const update = () => this.update();
    for (const event of ["play", "pause", "volumechange", "timeupdate", "durationchange", "seeked", "emptied"]) {
      this.#video.addEventListener(event, update);
    }
    document.addEventListener("fullscreenchange", update);
    this.#session.addEventListener("change", update);
    this.#video.addEventListener("volumechange", () => remember(VOLUME, String(this.#video.volume)));
    for (const button of [this.badge, this.golive]) button.addEventListener("click", () => this.goLive());
    this.unmute.addEventListener("click", () => this.toggleMute());
    this.volume.addEventListener("input", () => {
      this.#video.volume = Number(this.volume.value);
      this.#video.muted = this.#video.volume === 0;
    });
    this.seek.addEventListener("input", () => {
      this.#dragging = true;
      fill(this.seek);
    });
    this.seek.addEventListener("change", () => {
      this.#dragging = false;
      this.#session.engine?.seek(Number(this.seek.value));
    });
  }

  #restoreVolume() {
    const volume = Number.parseFloat(recall(VOLUME) ?? "1");
    if (volume >= 0 && volume <= 1) this.#video.volume = volume;
  }

  get #canFullscreen() {
    return document.fullscreenEnabled || "webkitEnterFullscreen" in this.#video;
  }
}

function iconButton(id, onclick, name = null, label = "") {
  const button = h("button", { type: "button", id, onclick });
  if (name) setButton(button, name, label);
  return button;
}

function setButton(button, name, label) {
  if (button.title === label) return;
  button.title = label;
  button.setAttribute("aria-label", label);
  button.replaceChildren(icon(name));
}

/** Set `--fill`, with which the style sheet colours the part of a slider before its knob. */
function fill(slider) {
  const { min, max, value } = slider;
  slider.style.setProperty("--fill", `${(100 * (value - min)) / (max - min || 1)}%`);
}
