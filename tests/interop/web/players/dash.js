import { load } from "../script.js";

async function loadEither(modules) {
  // dash.js 5 has two builds.
  const places = ["dist/dash.all.min.js", "dist/modern/umd/dash.all.min.js"];
  for (const place of places) {
    if ((await fetch(modules + place, { method: "HEAD" })).ok) return load(modules + place);
  }
  throw new Error(`no dash.js in ${modules}`);
}

export async function play(video, { url, modules, lowLatency, onError }) {
  await loadEither(modules);
  const player = dashjs.MediaPlayer().create();
  player.initialize(video, null, true);
  // The manifest names its own clock, and the tests stay on this machine.
  player.clearDefaultUTCTimingSources();
  // dash.js 3 has to be told; later versions see it in the manifest, and refuse the setting.
  if (lowLatency && player.getVersion().startsWith("3")) {
    player.updateSettings({ streaming: { lowLatencyEnabled: true, liveDelay: 1.5 } });
  }
  player.on("error", (event) => onError(`dash.js: ${event.error?.message ?? event.error}`));
  player.attachSource(url);
  return () => player.getCurrentLiveLatency();
}
