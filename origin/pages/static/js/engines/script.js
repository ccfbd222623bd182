// The players are classic scripts: each is loaded once, when it is first wanted, from the folder beside ours.

import { PlaybackFailure } from "./engine.js";

const loading = new Map();

export function vendorUrl(file) {
  return new URL(`../../vendor/${file}`, import.meta.url).href;
}

/** Load `file` and give the global that it defines. A load that failed is tried again when it is next asked for. */
export function loadPlayer(file, global) {
  if (!loading.has(file)) {
    loading.set(
      file,
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = vendorUrl(file);
        script.onload = () => resolve(window[global]);
        script.onerror = () => {
          loading.delete(file);
          script.remove();
          reject(new PlaybackFailure("script", `${file} could not be loaded`));
        };
        document.head.append(script);
      }),
    );
  }
  return loading.get(file);
}
