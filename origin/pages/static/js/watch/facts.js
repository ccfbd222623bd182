// Facts about playback for operators: shown under "Details", and as `window.headwater` for tests and the console.

import { h, setText } from "../dom.js";
import { bufferedAhead } from "../engines/pace.js";
import { formatBitrate } from "../format.js";

/** Current values, read at each access. Times are in seconds; names are those that the page shows. */
export function observe(session, video) {
  return Object.freeze({
    get stream() {
      return session.stream;
    },
    get screen() {
      return session.screen;
    },
    get state() {
      return session.status?.state ?? null;
    },
    get broadcast() {
      return session.opened?.broadcast ?? null;
    },
    get player() {
      return session.engine?.name ?? null;
    },
    get live() {
      return session.live;
    },
    get qualities() {
      return (session.engine?.qualities ?? []).map(({ id, label, bitrate }) => ({ id, label, bitrate }));
    },
    get selected() {
      return session.engine?.selected ?? null;
    },
    get level() {
      return session.engine?.playing?.label ?? null;
    },
    get latency() {
      return session.engine?.latency ?? null;
    },
    get targetLatency() {
      return session.live ? session.engine.targetLatency : null;
    },
    get drift() {
      return session.engine?.drift ?? null;
    },
    get held() {
      return session.engine?.hold.on ?? false;
    },
    get buffered() {
      return bufferedAhead(video);
    },
    get playbackRate() {
      return video.playbackRate;
    },
    get currentTime() {
      return video.currentTime;
    },
    get paused() {
      return video.paused;
    },
    get width() {
      return video.videoWidth;
    },
    get height() {
      return video.videoHeight;
    },
    get frames() {
      return video.getVideoPlaybackQuality().totalVideoFrames;
    },
    get droppedFrames() {
      return video.getVideoPlaybackQuality().droppedVideoFrames;
    },
    get errors() {
      return [...session.errors];
    },
  });
}

/** The rows of the details list: label and text. */
function rows(state, session) {
  const bitrate = session.engine?.playing?.bitrate;
  const seconds = (value) => (value === null ? "–" : `${value.toFixed(1)} s`);
  const rate = state.playbackRate === 1 ? "" : `, at ${Math.round(100 * state.playbackRate)} %`;
  return [
    ["Player", state.player ?? "–"],
    ["Broadcast", state.broadcast ?? "–"],
    ["Picture", state.width ? `${state.width} × ${state.height}` : "–"],
    ["Quality", [state.level, bitrate ? formatBitrate(bitrate) : null].filter(Boolean).join(", ") || "–"],
    ["Behind live", `${seconds(state.latency)}${rate}`],
    ["Buffer", seconds(state.buffered)],
    ["Frames", `${state.frames} shown, ${state.droppedFrames} dropped`],
    ["Errors", state.errors.at(-1) ?? "none"],
  ];
}

/** Keeps the list `element` up to date. */
export class Facts {
  #values = new Map();

  constructor(element, state, session) {
    this.state = state;
    this.session = session;
    for (const [label] of rows(state, session)) {
      const value = h("dd", {});
      this.#values.set(label, value);
      element.append(h("div", {}, h("dt", {}, label), value));
    }
  }

  update() {
    for (const [label, text] of rows(this.state, this.session)) setText(this.#values.get(label), text);
  }
}
