// What Shaka Player's choice of a rung is based on at low latency. The library counts the time that a part is waited
// for as download: it would never see more bandwidth than what the rung takes that it plays.

/** Longer than that between two pieces of a body, it waited for the next part and not for the network. */
const PAUSE_MS = 50;

const meters = new WeakMap();

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

/** For the networking engine: sees the pieces of each segment as they come. */
export function requestFilter({ net }) {
  return (type, request) => {
    const deliver = request.streamDataCallback;
    if (type !== net.NetworkingEngine.RequestType.SEGMENT || !deliver) return;
    const meter = new Meter();
    meters.set(request, meter);
    request.streamDataCallback = (data) => {
      meter.add(data.byteLength);
      return deliver(data);
    };
  };
}

/** For the configuration: the library's own choice, of what was measured here. Sound has too few bytes to tell. */
export function abrFactory({ abr }) {
  class Metered extends abr.SimpleAbrManager {
    segmentDownloaded(ms, bytes, allowSwitch, request, context) {
      const taken = meters.get(request)?.take() ?? { ms, bytes };
      if (request?.contentType === "audio") taken.bytes = 0;
      super.segmentDownloaded(taken.ms, taken.bytes, allowSwitch, request, context);
    }
  }
  return () => new Metered();
}
