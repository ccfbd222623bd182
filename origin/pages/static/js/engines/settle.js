// The position at which playback starts. The broadcast continues while a player loads, so the media missed meanwhile is
// skipped before playback starts; a jump afterwards would be visible.

import { bufferedAhead } from "./pace.js";

const POLL_MS = 20;
/** A smaller drift, in seconds, is left to `Pace`. */
const TOLERANCE_S = 0.1;
/** The media that must be buffered after the new position, in seconds. */
const MIN_BUFFER_S = 0.3;
/** Attempts, not time: a machine that stands still for seconds while a page loads would leave no attempt. */
const ATTEMPTS = 100;

/**
 * Seeks the engine's video, which is not playing yet, to its target latency. Returns after about two seconds at the latest,
 * and at once if the viewer chooses another position.
 */
export async function settle(engine) {
  const { video } = engine;
  for (let attempt = 0; attempt < ATTEMPTS && video.paused && !engine.hold.on; attempt += 1) {
    const late = engine.drift;
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking) {
      if (!engine.live || (late !== null && Math.abs(late) < TOLERANCE_S)) return;
      if (late > 0 && bufferedAhead(video) > late + MIN_BUFFER_S) {
        video.currentTime += late;
        return;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
