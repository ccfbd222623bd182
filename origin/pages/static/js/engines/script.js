// Loads the players, which are classic scripts, from the `vendor` directory: each once, when it is first needed.

import { PlaybackFailure } from "./engine.js";

const loading = new Map();

export function vendorUrl(file) {
  return new URL(`../../vendor/${file}`, import.meta.url).href;
}

/** Load `file` and return the global that it defines. After a failure, the next call tries again. */
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
