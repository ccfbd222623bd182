// Counts the samples that are not silent, and passes the sound on.

class Counter extends AudioWorkletProcessor {
  heard = 0;

  process([input], [output]) {
    input.forEach((channel, index) => output[index]?.set(channel));
    if (input.length > 0) {
      for (const sample of input[0]) if (sample !== 0) this.heard += 1;
      this.port.postMessage(this.heard);
    }
    return true;
  }
}

registerProcessor("counter", Counter);
