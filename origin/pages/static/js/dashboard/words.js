// A stream's status as text.

import { formatBitrate, formatClock, formatNumber } from "../format.js";

const CODECS = { h264: "H.264", aac: "AAC", mp3: "MP3" };

const codec = (name) => CODECS[name] ?? name;

/** The source as two lines: video and audio. */
export function describeSource(source) {
  const picture = source.codec
    ? [
        `${codec(source.codec)} ${source.width} × ${source.height}`,
        source.fps ? `${formatNumber(source.fps)} fps` : null,
        formatBitrate(source.bitrate_bps),
        source.keyframe_interval_s ? `keyframe every ${formatNumber(source.keyframe_interval_s)} s` : null,
      ]
    : ["No picture", formatBitrate(source.bitrate_bps)];
  return [join(picture), source.audio ? describeAudio(source.audio) : "No sound"];
}

function describeAudio({ codec: name, sample_rate: rate, channels, bitrate_bps: bitrate }) {
  const layout = { 1: "mono", 2: "stereo" }[channels] ?? `${channels} channels`;
  return join([`${codec(name)} ${rate / 1000} kHz`, layout, formatBitrate(bitrate)]);
}

/** A rendition as `{name, detail}`. */
export function describeRendition({ kind, width, height, fps, bitrate_bps: bitrate, encoded }) {
  const rate = fps > 31 ? Math.round(fps) : "";
  const name = kind === "video" && height ? `${Math.min(width, height)}p${rate}` : "Audio";
  return { name, detail: join([formatBitrate(bitrate), encoded ? null : "passed through"]) };
}

/** A broadcast's duration, with a remark if it is live or was interrupted. */
export function describeLength({ state, duration_s: duration }) {
  const remark = { live: "so far", interrupted: "interrupted" }[state];
  return join([formatClock(duration), remark]);
}

function join(parts) {
  return parts.filter(Boolean).join(" · ");
}
