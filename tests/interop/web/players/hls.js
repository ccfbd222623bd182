import { load } from "../script.js";

export async function play(video, { url, modules, onError }) {
  await load(`${modules}dist/hls.min.js`);
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) onError(`hls.js: ${data.details}`); });
  hls.loadSource(url);
  hls.attachMedia(video);
  return () => hls.latency;
}
