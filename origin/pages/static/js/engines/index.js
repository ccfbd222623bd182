// Which player plays: hls.js where the browser has Media Source Extensions, the browser's own HLS where it has not, or
// the one that the page's address names.

import { PlaybackFailure } from "./engine.js";

const players = {
  hls: { format: "hls", load: async () => (await import("./hls.js")).load() },
  native: { format: "hls", load: async () => (await import("./native.js")).NativeEngine },
  dash: { format: "dash", load: async () => (await import("./dash.js")).load() },
  shaka: { format: "dash", load: async () => (await import("./shaka.js")).load() },
};

export const PLAYER_NAMES = Object.keys(players);

/** The player for this browser: `wanted` where it is one of ours. */
export function choosePlayer(wanted) {
  if (PLAYER_NAMES.includes(wanted)) return wanted;
  return "MediaSource" in window || "ManagedMediaSource" in window ? "hls" : "native";
}

/** `hls` or `dash`: which of the server's two addresses the player plays. */
export function formatOf(name) {
  return players[name].format;
}

/** The player's engine class. Raises PlaybackFailure where its script or the browser is not up to it. */
export async function loadEngine(name) {
  try {
    return await players[name].load();
  } catch (error) {
    throw error instanceof PlaybackFailure ? error : new PlaybackFailure("script", error.message);
  }
}
