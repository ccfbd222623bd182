// What the page's address says: /watch/{stream}?broadcast=…&player=…&muted=1&autoplay=0

import { PLAYER_NAMES } from "../engines/index.js";

const BROADCAST = /^\d{8}t\d{6}z-[0-9a-f]{6}$/;

/**
 * `broadcast` is the id of a past broadcast to play instead of what is live, or null; `player` is one of the engines'
 * names, or null for the browser's best.
 */
export function readOptions(location) {
  const query = new URLSearchParams(location.search);
  const [, stream] = /^\/watch\/([^/]+)/.exec(location.pathname);
  const broadcast = query.get("broadcast") ?? "";
  const player = query.get("player");
  return {
    stream,
    broadcast: BROADCAST.test(broadcast) ? broadcast : null,
    player: PLAYER_NAMES.includes(player) ? player : null,
    muted: query.get("muted") === "1",
    autoplay: query.get("autoplay") !== "0",
  };
}
