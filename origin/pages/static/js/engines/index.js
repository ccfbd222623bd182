// Chooses the player: hls.js if the browser has Media Source Extensions, otherwise the browser's native HLS; or the player
// that the page's address names.

import { PlaybackFailure } from "./engine.js";

const players = {
  hls: { format: "hls", load: async () => (await import("./hls.js")).load() },
  native: { format: "hls", load: async () => (await import("./native.js")).NativeEngine },
  dash: { format: "dash", load: async () => (await import("./dash.js")).load() },
  shaka: { format: "dash", load: async () => (await import("./shaka.js")).load() },
};

export const PLAYER_NAMES = Object.keys(players);

/** The player's name: `wanted` if it is one of ours, otherwise the best for this browser. */
export function choosePlayer(wanted) {
  if (PLAYER_NAMES.includes(wanted)) return wanted;
  return "MediaSource" in window || "ManagedMediaSource" in window ? "hls" : "native";
}

/** `hls` or `dash`: the format that the player plays. */
export function formatOf(name) {
  return players[name].format;
}

/** The player's engine class. Throws PlaybackFailure if its script cannot be loaded or the browser does not support it. */
export async function loadEngine(name) {
  try {
    return await players[name].load();
  } catch (error) {
    throw error instanceof PlaybackFailure ? error : new PlaybackFailure("script", error.message);
  }
}
