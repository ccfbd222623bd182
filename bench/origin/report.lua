-- wrk's result as one line of JSON. Times are in microseconds.
done = function(summary, latency, requests)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format(
      '\n{"requests": %d, "bytes": %d, "duration_us": %d, "failed": %d, "p50_us": %d, "p99_us": %d}\n',
      summary.requests, summary.bytes, summary.duration, failed, latency:percentile(50), latency:percentile(99)
   ))
end
