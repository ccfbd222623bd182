// The server's clock, which the viewer's own may be far from: what a playlist's dates are compared with.

const PATH = "/time";
const SAMPLES = 3;

let offset = null;
let asking = null;

/** Milliseconds since the epoch by the server's clock; null while that is not known. */
export function serverNow() {
  return offset === null ? null : performance.now() + offset;
}

/** Ask the server, once in a page's life unless it did not answer. */
export function syncClock() {
  asking ??= measure()
    .then((measured) => (offset = measured))
    .catch(() => (asking = null));
  return asking;
}

/** Of a few answers the quickest says it best: it was halfway when the server read its clock. */
async function measure() {
  let best = null;
  for (let i = 0; i < SAMPLES; i += 1) {
    const sent = performance.now();
    const response = await fetch(PATH, { cache: "no-store" });
    const took = performance.now() - sent;
    const server = Date.parse(await response.text());
    if (!response.ok || Number.isNaN(server)) throw new Error("the server does not tell the time");
    if (best === null || took < best.took) best = { took, offset: server - sent - took / 2 };
  }
  return best.offset;
}
