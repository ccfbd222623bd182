import { load } from "../script.js";

const TYPES = { m3u8: "application/vnd.apple.mpegurl", mpd: "application/dash+xml" };

export async function play(video, { url, modules, onError }) {
  await load(`${modules}dist/video.min.js`);
  const player = videojs(video, { html5: { vhs: { overrideNative: true } } });
  player.on("error", () => onError(`Video.js: ${player.error()?.message}`));
  player.src({ src: url, type: TYPES[url.split(".").pop()] });
  await new Promise((resolve) => player.ready(resolve));
  return () => NaN;
}
