// How to publish to a stream: its server address, its key, and what to choose in OBS.

import { h } from "../dom.js";
import { formatMoment } from "../format.js";
import { copyField, openDialog } from "./dialog.js";

// OBS's own words: the place, and what to choose there.
const STEPS = [
  ["Settings, Stream, Service", "Custom…"],
  ["Settings, Stream, Server and Stream Key", "the values above"],
  ["Settings, Output, Output Mode", "Advanced"],
  ["Video Encoder", "x264, or any H.264 hardware encoder"],
  ["Rate Control, Bitrate", "CBR, 2500 Kbps for 720p30"],
  ["Keyframe Interval", "2 s"],
  ["Audio Encoder", "FFmpeg AAC (the default)"],
];

/**
 * `key` is the stream's key if it has just been created: the server keeps only its hash. Otherwise `keyCreatedAt` is when it
 * was created (null if that is unknown), and `rotate` opens the dialog that creates another. `backup` is for the backup key:
 * its `createdAt` (null if there is none), and `create` and `remove`, which open dialogs. Both are null if the token may not.
 */
export function showPublishing({
  stream,
  server,
  watch,
  key = null,
  keyCreatedAt = null,
  rotate = null,
  backup = null,
}) {
  const close = h(
    "button",
    { type: "button", class: "primary", onclick: () => dialog.close() },
    "Done",
  );
  const leaveTo = (open) => () => {
    dialog.close();
    open();
  };
  const dialog = openDialog(
    `Publish to ${stream}`,
    h("p", { class: "muted" }, "Enter these values in OBS or another encoder, then start streaming."),
    copyField("Server", server),
    key ? copyField("Stream Key", key) : describeKey(keyCreatedAt, rotate && leaveTo(rotate)),
    key && h("p", { class: "once" }, "Copy the key now: it is shown only this once."),
    backup && describeBackup(backup.createdAt, leaveTo(backup.create), leaveTo(backup.remove)),
    copyField("Watch page", new URL(watch, window.location).href),
    howTo(),
    h("div", { class: "actions" }, close),
  );
}

function describeKey(createdAt, another) {
  const since = createdAt === null ? "" : ` on ${formatMoment(createdAt)}`;
  return keyField("Stream Key", `Created${since}. It was shown only then, and cannot be shown again.`, [
    another && button("Lost it? New key", another),
  ]);
}

function describeBackup(createdAt, create, remove) {
  const text =
    createdAt === null
      ? "None. With one, a second encoder can stand by."
      : `Created on ${formatMoment(createdAt)}. It cannot be shown again.`;
  return keyField("Backup Stream Key", text, [
    button("New backup key", create),
    createdAt !== null && button("Remove", remove),
  ]);
}

function keyField(label, text, buttons) {
  return h(
    "div",
    { class: "field" },
    h("div", { class: "label" }, label),
    h("div", { class: "key" }, h("p", {}, text), ...buttons.filter(Boolean)),
  );
}

function button(label, onclick) {
  return h("button", { type: "button", class: "quiet", onclick }, label);
}

function howTo() {
  return h(
    "section",
    { class: "howto" },
    h("h3", {}, "In OBS"),
    h(
      "dl",
      {},
      STEPS.map(([place, choice]) => h("div", {}, h("dt", {}, place), h("dd", {}, choice))),
    ),
  );
}
