// Numbers as text for people.

/** Seconds as `0:07`, `12:30` or `1:02:03`. */
export function formatClock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${String(rest).padStart(2, "0")}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Seconds as `42 s`, `5 min`, `3 h 20 min` or `2 d 4 h`. */
export function formatSpan(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.max(0, Math.floor(seconds))} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${Math.floor(hours / 24)} d`;
}

/** Seconds behind live as `1.2 s`; from ten seconds on, the format of `formatSpan`. */
export function formatLatency(seconds) {
  return seconds < 9.95 ? `${Math.max(0, seconds).toFixed(1)} s` : formatSpan(Math.round(seconds));
}

/** Bits per second as `128 kbit/s` or `2.5 Mbit/s`. */
export function formatBitrate(bps) {
  return bps < 999_500 ? `${Math.round(bps / 1000)} kbit/s` : `${(bps / 1e6).toFixed(1)} Mbit/s`;
}

/** Bytes as `12 kB`, `3.4 MB` or `1.2 GB` (powers of ten). */
export function formatBytes(bytes) {
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `value` as text by `format`, or null if it is 0: a figure that is not measured yet. */
export function ifMeasured(value, format) {
  return value > 0 ? format(value) : null;
}

/** A moment in the past, in seconds since the Unix epoch, as `just now` or `3 h 20 min ago`. */
export function formatAgo(epoch, now = Date.now() / 1000) {
  return now - epoch < 60 ? "just now" : `${formatSpan(now - epoch)} ago`;
}

/** A measured number as `30` or `8.3`. */
export function formatNumber(value) {
  return String(Math.round(value * 10) / 10);
}

/** A time (seconds since the Unix epoch) to the second, in the reader's language and time zone. */
export function formatTime(epoch) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }).format(
    new Date(epoch * 1000),
  );
}

/** A time (seconds since the Unix epoch) in the reader's language and time zone. */
export function formatMoment(epoch) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(epoch * 1000),
  );
}
