// What Shaka Player's choice of a rung is based on at low latency. The library counts the time that a part is waited
// for as download: it would never see more bandwidth than what the rung takes that it plays.

/** Longer than that between two pieces of a body, it waited for the next part and not for the network. */
const PAUSE_MS = 50;

/** A body's bytes and how long they were under way: a growing segment's stands still until the next part is made. */
class Meter {
  #last = -Infinity;
  #bytes = 0;
  #busyMs = 0;

  add(bytes) {
    const now = performance.now();
    this.#bytes += bytes;
    this.#busyMs += Math.min(now - this.#last, PAUSE_MS);
    this.#last = now;
  }

  take() {
    const taken = { bytes: this.#bytes, ms: this.#busyMs };
    this.#bytes = this.#busyMs = 0;
    return taken;
  }
}

/**
 * For `player`, before it loads: the library's own choice of a rung, of what is measured here, and only between two
 * segments. In the middle of one it would load the segment again in the other rung, over what is about to be shown.
 */
export function measureBandwidth(player, { abr, net }) {
  const meters = new WeakMap();

  class Metered extends abr.SimpleAbrManager {
    /** Sound has too few bytes to tell. */
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
