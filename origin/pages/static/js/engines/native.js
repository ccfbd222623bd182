// The browser's native HLS (iPhones without Managed Media Source). The browser chooses the quality.

import { AUTO, Engine } from "./engine.js";

const CODES = { 2: "connection", 3: "format", 4: "missing" };

export class NativeEngine extends Engine {
  name = "native";
  #listening = new AbortController();

  start(position) {
    const { signal } = this.#listening;
    this.video.addEventListener("error", () => this.#onError(), { signal });
    this.video.addEventListener("resize", () => this.changed(), { signal });
    if (position !== null) {
      const seek = () => (this.video.currentTime = position);
      this.video.addEventListener("loadedmetadata", seek, { signal, once: true });
    }
    this.video.src = this.url;
  }

  stop() {
    this.#listening.abort();
    this.video.removeAttribute("src");
    this.video.load();
  }

  get live() {
    return this.video.duration === Infinity;
  }

  get playing() {
    const { videoWidth: width, videoHeight: height } = this.video;
    return height ? { id: AUTO, label: `${Math.min(width, height)}p`, bitrate: 0 } : null;
  }

  #onError() {
    const error = this.video.error;
    this.fail(CODES[error?.code] ?? "format", error?.message ?? "");
  }
}
