// A stream's status as text.

import { formatBitrate, formatClock, formatMoment, formatNumber, ifMeasured } from "../format.js";

const CODECS = { h264: "H.264", aac: "AAC", mp3: "MP3" };

const codec = (name) => CODECS[name] ?? name;

/** The source as two lines: video and audio. */
export function describeSource(source) {
  const picture = source.codec
    ? [
        `${codec(source.codec)} ${source.width} × ${source.height}`,
        source.fps ? `${formatNumber(source.fps)} fps` : null,
        ifMeasured(source.bitrate_bps, formatBitrate),
        source.keyframe_interval_s ? `keyframe every ${formatNumber(source.keyframe_interval_s)} s` : null,
      ]
    : ["No picture", ifMeasured(source.bitrate_bps, formatBitrate)];
  return [join(picture), source.audio ? describeAudio(source.audio) : "No sound"];
}

function describeAudio({ codec: name, sample_rate: rate, channels, bitrate_bps: bitrate }) {
  const layout = { 1: "mono", 2: "stereo" }[channels] ?? `${channels} channels`;
  return join([`${codec(name)} ${rate / 1000} kHz`, layout, ifMeasured(bitrate, formatBitrate)]);
}

/** A rendition as `{name, detail}`. */
export function describeRendition({ kind, width, height, fps, bitrate_bps: bitrate, encoded }) {
  const rate = fps > 31 ? Math.round(fps) : "";
  const name = kind === "video" && height ? `${Math.min(width, height)}p${rate}` : "Audio";
  return { name, detail: join([ifMeasured(bitrate, formatBitrate), encoded ? null : "passed through"]) };
}

/** Who publishes; the roles are named if there are two publishers, or if the backup is on air. */
export function describePublishers({ publisher, standby }) {
  if (!publisher) return "No publisher is connected";
  const from = `From ${describePublisher(publisher)}`;
  if (!standby && publisher.role === "primary") return from;
  return join([`${from} (${publisher.role})`, standby && `${standby.role} on standby: ${describePublisher(standby)}`]);
}

/** A ban, as `Banned until Nov 21, 2026, 11:41 AM: wrong scene`. */
export function describeBan({ until, reason }) {
  const length = until === null ? "" : ` until ${formatMoment(until)}`;
  return `Banned${length}${reason ? `: ${reason}` : ""}`;
}

function describePublisher({ address, software }) {
  return [address, software].filter(Boolean).join(", ");
}

/** What players report, as `[label, text]`; empty if none reports. */
export function describePlayback({ sessions, start_s: start, latency_s: latency, stalls, stalled_ratio: ratio, errors }) {
  if (sessions === 0) return [];
  const spread = ({ median, p95 }) => `${median.toFixed(1)} s (95 % within ${p95.toFixed(1)} s)`;
  return [
    ["Players that report", String(sessions)],
    ["Start-up", start && spread(start)],
    ["Behind live", latency && spread(latency)],
    ["Stalls", stalls ? join([String(stalls), ratio && `${formatShare(ratio)} of the time`]) : "none"],
    ["Errors", errors ? String(errors) : null],
  ].filter(([, text]) => text);
}

function formatShare(ratio) {
  return ratio < 0.001 ? "< 0.1 %" : `${(100 * ratio).toFixed(1)} %`;
}

/** A broadcast's duration, with a remark if it is live or was interrupted. */
export function describeLength({ state, duration_s: duration }) {
  const remark = { live: "so far", interrupted: "interrupted" }[state];
  return join([formatClock(duration), remark]);
}

function join(parts) {
  return parts.filter(Boolean).join(" · ");
}
