// The options in the page's address: /watch/{stream}?token=…&broadcast=…&player=…&latency=normal&muted=1&autoplay=0

import { BASE } from "../base.js";
import { PLAYER_NAMES } from "../engines/index.js";

const BROADCAST = /^\d{8}t\d{6}z-[0-9a-f]{6}$/;

/**
 * `broadcast` is the id of a past broadcast to play instead of the live one, or null; `player` is the name of an engine, or
 * null for the best one in this browser; `token` is a viewer's token for a private stream, or null.
 */
export function readOptions(location) {
  const query = new URLSearchParams(location.search);
  const [, stream] = /^watch\/([^/]+)/.exec(location.pathname.slice(BASE.length));
  const broadcast = query.get("broadcast") ?? "";
  const player = query.get("player");
  return {
    stream,
    broadcast: BROADCAST.test(broadcast) ? broadcast : null,
    player: PLAYER_NAMES.includes(player) ? player : null,
    token: query.get("token"),
    lowLatency: query.get("latency") !== "normal",
    muted: query.get("muted") === "1",
    autoplay: query.get("autoplay") !== "0",
  };
}
