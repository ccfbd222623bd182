import { load } from "../script.js";

export async function play(video, { url, modules, lowLatency, onError }) {
  await load(`${modules}dist/shaka-player.compiled.js`);
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.addEventListener("error", (event) => onError(`shaka: ${event.detail.code} ${event.detail.data}`));
  player.configure({ streaming: { lowLatencyMode: lowLatency } });
  await player.attach(video);
  await player.load(url);
  return () => player.getStats().liveLatency;
}
