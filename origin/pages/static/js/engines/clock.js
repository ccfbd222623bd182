// The server's clock, to compare a playlist's dates with. The viewer's own clock may be wrong.

import { BASE } from "../base.js";

const PATH = `${BASE}time`;
const SAMPLES = 3;

let offset = null;
let measuring = null;

/** Milliseconds since the epoch by the server's clock; null until it is known. */
export function serverNow() {
  return offset === null ? null : performance.now() + offset;
}

/** Request the server's time, once per page load; after a failure, the next call tries again. */
export function syncClock() {
  measuring ??= measure()
    .then((measured) => (offset = measured))
    .catch(() => (measuring = null));
  return measuring;
}

/** The offset from the fastest of a few requests, assuming that the server read its clock halfway through. */
async function measure() {
  let best = null;
  for (let i = 0; i < SAMPLES; i += 1) {
    const sent = performance.now();
    const response = await fetch(PATH, { cache: "no-store" });
    const took = performance.now() - sent;
    const server = Date.parse(await response.text());
    if (!response.ok || Number.isNaN(server)) throw new Error("the server did not return its time");
    if (best === null || took < best.took) best = { took, offset: server - sent - took / 2 };
  }
  return best.offset;
}
