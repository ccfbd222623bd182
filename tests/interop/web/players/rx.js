export async function play(video, { url, modules, lowLatency, onError }) {
  const { default: RxPlayer } = await import(`${modules}dist/es2017/index.js`);
  const player = new RxPlayer({ videoElement: video });
  player.addEventListener("error", (error) => onError(`RxPlayer: ${error.message}`));
  player.loadVideo({ url, transport: "dash", autoPlay: true, lowLatencyMode: lowLatency });
  return () => NaN;
}
