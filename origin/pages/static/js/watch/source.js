// Where a broadcast is: `{broadcast, hls, dash}`, its id and the paths of its media.

import { BASE } from "../base.js";

/** Whether `status` has a broadcast on air that can be played. */
export function isOnAir(status) {
  return (status.state === "live" || status.state === "waiting") && Boolean(status.hls);
}

/** The source of a past broadcast, which follows from its id. */
export function pastBroadcast({ stream, broadcast }) {
  const path = `${BASE}live/${stream}/${broadcast}`;
  return { broadcast, hls: `${path}/master.m3u8`, dash: `${path}/manifest.mpd` };
}

/** When the broadcast began, which follows from its id, such as 20261121t104105z-ab12cd: seconds since the Unix epoch. */
export function startOf(broadcast) {
  const [year, month, day, hour, minute, second] = broadcast.match(/^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z/).slice(1);
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}
