// Where playing begins. While a player loads, live goes on: what it has missed meanwhile is left out before the first
// picture moves, for nothing may be left out after.

import { bufferedAhead } from "./pace.js";

const LOOK_MS = 20;
/** Seconds late that are left to the pace. */
const NEAR_S = 0.1;
/** What has to be there behind the place that is gone to. */
const LEAST_BUFFER_S = 0.3;
const PATIENCE_MS = 2000;

/** Done when the engine's video, which is not playing yet, is where it is meant to be, or when that takes too long. */
export async function settle(engine) {
  const { video } = engine;
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until && video.paused) {
    const late = engine.drift;
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking) {
      if (!engine.live || (late !== null && Math.abs(late) < NEAR_S)) return;
      if (late > 0 && bufferedAhead(video) > late + LEAST_BUFFER_S) {
        video.currentTime += late;
        return;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
