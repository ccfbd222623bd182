// Bandwidth measurement for Shaka Player at low latency. The library counts the time it waits for a part as download time,
// so it would never measure more bandwidth than the bitrate of the rendition that it plays.

/** A longer pause between two chunks of a body, in milliseconds, was a wait for the next part, not for the network. */
const MAX_PAUSE_MS = 50;

/** Counts a body's bytes and transfer time. The body of a growing segment pauses until the next part is complete. */
class Meter {
  #last = -Infinity;
  #bytes = 0;
  #busyMs = 0;

  add(bytes) {
    const now = performance.now();
    this.#bytes += bytes;
    this.#busyMs += Math.min(now - this.#last, MAX_PAUSE_MS);
    this.#last = now;
  }

  take() {
    const taken = { bytes: this.#bytes, ms: this.#busyMs };
    this.#bytes = this.#busyMs = 0;
    return taken;
  }
}

/**
 * Call before `player` loads. The library still chooses the rendition, but with the bandwidth measured here, and switches
 * only between segments. In the middle of a segment it would load the segment again in the other rendition and overwrite
 * media that is about to be shown.
 */
export function measureBandwidth(player, { abr, net }) {
  const meters = new WeakMap();

  class Metered extends abr.SimpleAbrManager {
    /** Audio has too few bytes to measure. */
    segmentDownloaded(ms, bytes, allowSwitch, request, context) {
      const meter = meters.get(request);
      const taken = meter?.take() ?? { ms, bytes };
      if (request?.contentType === "audio") taken.bytes = 0;
      super.segmentDownloaded(taken.ms, taken.bytes, allowSwitch && !meter, request, context);
    }

    segmentEnded() {
      super.segmentDownloaded(0, 0, true);
    }
  }

  let manager = null;
  const { SEGMENT } = net.NetworkingEngine.RequestType;
  player.configure({ abrFactory: () => (manager = new Metered()) });
  player.getNetworkingEngine().registerRequestFilter((type, request) => {
    const deliver = request.streamDataCallback;
    if (type !== SEGMENT || !deliver) return;
    const meter = new Meter();
    meters.set(request, meter);
    request.streamDataCallback = (data) => {
      meter.add(data.byteLength);
      return deliver(data);
    };
  });
  player.addEventListener("segmentappended", ({ contentType }) => contentType === "video" && manager?.segmentEnded());
}
