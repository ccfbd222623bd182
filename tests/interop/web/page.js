// Plays `url` with the adapter players/`adapter`.js from the npm package `package`, and counts in window.reading what
// Chromium decodes.

const parameters = new URLSearchParams(location.search);
const video = document.getElementById("video");
const reading = { pictures: 0, soundSeconds: 0, behindSeconds: null, errors: [] };
window.reading = reading;

addEventListener("error", (event) => reading.errors.push(String(event.message)));
addEventListener("unhandledrejection", (event) => reading.errors.push(String(event.reason)));
video.addEventListener("error", () => reading.errors.push(video.error?.message ?? "the video element failed"));

// The sound is heard, if it is not silence, in the worklet; from there it goes on to the loudspeakers.
async function countSound() {
  const context = new AudioContext();
  await context.audioWorklet.addModule("sound.js");
  const counter = new AudioWorkletNode(context, "counter");
  counter.port.onmessage = (event) => { reading.soundSeconds = event.data / context.sampleRate; };
  context.createMediaElementSource(video).connect(counter).connect(context.destination);
}

// Chromium starts to count from zero if a player loads another source into the element.
function countPictures() {
  let before = 0;
  let last = 0;
  setInterval(() => {
    const { totalVideoFrames } = video.getVideoPlaybackQuality();
    if (totalVideoFrames < last) before += last;
    last = totalVideoFrames;
    reading.pictures = before + last;
  }, 100);
}

await countSound();
countPictures();
video.autoplay = true;
const { play } = await import(`./players/${parameters.get("adapter")}.js`);
const behind = await play(video, {
  url: parameters.get("url"),
  modules: `/node_modules/${parameters.get("package")}/`,
  lowLatency: parameters.get("kind") === "low latency",
  onError: (text) => reading.errors.push(text),
});
setInterval(() => {
  const seconds = behind();
  if (Number.isFinite(seconds) && seconds > 0) reading.behindSeconds = seconds;
}, 250);
