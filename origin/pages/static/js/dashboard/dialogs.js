// The operator's dialogs.

import { h } from "../dom.js";
import { formatBytes, formatMoment, formatTime, ifMeasured } from "../format.js";
import { choice, openDialog, openForm, showFields } from "./dialog.js";
import { showPublishing } from "./publishing.js";
import { describeLength } from "./words.js";

const NAME_PATTERN = "[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?";
const PRIVATE = "Private: viewers need a link with a token";
// How long a viewer's link is valid, in seconds; the first is the default.
const VALIDITIES = [
  [7200, "two hours"],
  [43_200, "twelve hours"],
  [86_400, "a day"],
  [604_800, "a week"],
  [2_592_000, "30 days"],
];
// The newest ones; `headwater events` prints all.
const MOST_EVENTS = 50;
const BANS = [
  [0, "may return at once"],
  [60, "is refused for a minute"],
  [600, "is refused for ten minutes"],
  [3600, "is refused for an hour"],
  [86_400, "is refused for a day"],
];

export function confirmKill(stream, kill) {
  const ban = choice("ban", BANS);
  openForm({
    title: `End the broadcast of ${stream}?`,
    text: "The broadcaster is disconnected at once, and viewers see that the broadcast has ended.",
    fields: [h("label", { for: "ban" }, "The broadcaster"), ban],
    action: "End broadcast",
    dangerous: true,
    submit: () => kill(Number(ban.value)),
  });
}

export function confirmDelete(stream, remove) {
  openForm({
    title: `Delete ${stream}?`,
    text: "Its key stops working and its watch page is removed. Recordings stay in the store.",
    action: "Delete stream",
    dangerous: true,
    submit: remove,
  });
}

export function confirmRotate(stream, rotate) {
  openForm({
    title: `Create a new key for ${stream}?`,
    text: "The old key is refused from the next connection on. The broadcaster must then use the new one.",
    action: "Create new key",
    submit: async () => showPublishing(await rotate()),
  });
}

/** `create()` makes the backup key; `exists` says that there is one already. */
export function confirmBackupKey(stream, exists, create) {
  openForm({
    title: exists ? `Create a new backup key for ${stream}?` : `Give ${stream} a backup key?`,
    text: exists
      ? "The old backup key is refused from the next connection on."
      : "A second encoder publishes with it at the same time. Viewers get its picture if the first one stalls.",
    action: exists ? "Create new backup key" : "Create backup key",
    submit: async () => showBackupKey(await create()),
  });
}

function showBackupKey({ stream, server, key }) {
  showFields(`Backup key of ${stream}`, "Copy the key now: it is shown only this once.", [
    ["Server", server],
    ["Backup Stream Key", key],
  ]);
}

export function confirmBackupRemoval(stream, remove) {
  openForm({
    title: `Remove the backup key of ${stream}?`,
    text: "An encoder that uses it is refused from the next connection on.",
    action: "Remove backup key",
    dangerous: true,
    submit: remove,
  });
}

/** `role` is that of the publisher on standby. */
export function confirmSwitch(stream, role, change) {
  openForm({
    title: `Switch ${stream} to the ${role}?`,
    text: `Viewers get the picture of the ${role} from its next keyframe on.`,
    action: `Switch to the ${role}`,
    submit: change,
  });
}

export function createStream(create) {
  const name = h("input", {
    id: "name",
    required: true,
    pattern: NAME_PATTERN,
    maxLength: 63,
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: false,
    autofocus: true,
    title: "Lower-case letters, digits and inner hyphens",
    placeholder: "studio-a",
  });
  const secret = h("input", { type: "checkbox" });
  openForm({
    title: "New stream",
    text: "The name is part of the watch page's address: lower-case letters, digits and hyphens.",
    fields: [h("label", { for: "name" }, "Name"), name, h("label", { class: "check" }, secret, PRIVATE)],
    action: "Create",
    submit: async () => showPublishing(await create(name.value, secret.checked)),
  });
}

/** `settings` has the stream's `title` and `private`; `change` is called with their new values. */
export function editSettings(stream, settings, change) {
  const title = h("input", { id: "title", value: settings.title, maxLength: 200, placeholder: stream, autofocus: true });
  const secret = h("input", { type: "checkbox", checked: settings.private });
  openForm({
    title: `Settings of ${stream}`,
    text: "The title is shown on the watch page. Changes take effect within seconds.",
    fields: [h("label", { for: "title" }, "Title"), title, h("label", { class: "check" }, secret, PRIVATE)],
    action: "Save",
    submit: () => change({ title: title.value.trim(), private: secret.checked }),
  });
}

/** `create(seconds)` returns the links of a token that is valid for that long. */
export function createLink(stream, create) {
  const validity = choice("validity", VALIDITIES);
  openForm({
    title: `Viewer link for ${stream}`,
    text: "The stream is private. This link admits viewers; anyone who has it can pass it on until it expires.",
    fields: [h("label", { for: "validity" }, "Valid for"), validity],
    action: "Create link",
    submit: async () => showLink(stream, await create(Number(validity.value))),
  });
}

function showLink(stream, { watch, hls, dash, expires_at: end }) {
  showFields(`Viewer link for ${stream}`, `Valid until ${formatMoment(end)}.`, [
    ["Watch page", watch],
    ["HLS", hls],
    ["DASH", dash],
  ]);
}

/** `actions` has `keep`, `release` and `remove`, each called with a broadcast's id; one that is not allowed is false. */
export function showBroadcasts(stream, load, actions) {
  return showList(`Broadcasts of ${stream}`, load, (broadcasts, reload) => broadcastTable(broadcasts, actions, reload));
}

function confirmRecordingRemoval(started, remove) {
  openForm({
    title: "Delete this recording?",
    text: `The recording of ${started} cannot be played any more.`,
    action: "Delete recording",
    dangerous: true,
    submit: remove,
  });
}

/** `load` returns the events in order. */
export function showEvents(stream, load) {
  return showList(`Events of ${stream}`, load, (events) => eventTable(events.slice(-MOST_EVENTS).reverse()));
}

/** `load` returns the stream's keys. */
export function showKeys(stream, load) {
  return showList(`Keys of ${stream}`, load, keyTable);
}

/** A dialog with what `load` returns, as `table(items, reload)` renders it. */
async function showList(title, load, table) {
  const body = h("div", { class: "listed" }, h("p", { class: "muted" }, "Loading…"));
  const close = h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close");
  const dialog = openDialog(title, body, h("div", { class: "actions" }, close));
  async function reload() {
    try {
      const items = await load();
      body.replaceChildren(items.length ? table(items, reload) : h("p", { class: "muted" }, "None yet."));
    } catch (error) {
      body.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
    }
  }
  await reload();
}

function broadcastTable(broadcasts, actions, reload) {
  const link = (href, text) => h("a", { href, target: "_blank", rel: "noopener" }, text);
  const button = (label, onclick) => h("button", { type: "button", class: "quiet", onclick }, label);
  const after = (action) => async () => {
    await action();
    await reload();
  };
  const buttons = ({ broadcast, started_at: start, state, kept }) => {
    const change = kept ? actions.release : actions.keep;
    const remove = after(() => actions.remove(broadcast));
    return [
      ...(change ? [button(kept ? "Release" : "Keep", after(() => change(broadcast)))] : []),
      ...(actions.remove && state !== "live" && !kept
        ? [button("Delete", () => confirmRecordingRemoval(formatMoment(start), remove))]
        : []),
    ];
  };
  const row = (broadcast) => {
    const { started_at: start, bytes, watch, hls, dash, ...length } = broadcast;
    return [
      [formatMoment(start)],
      [describeLength(length)],
      [ifMeasured(bytes, formatBytes) ?? "–"],
      [link(watch, "Watch"), link(hls, "HLS"), link(dash, "DASH")],
      buttons(broadcast),
    ];
  };
  return dataTable(["Started", "Length", "Size", "Links", "Recording"], broadcasts.map(row));
}

function eventTable(events) {
  return dataTable(
    ["Time", "Event"],
    events.map(({ at, text }) => [[formatTime(at)], [text]]),
  );
}

function keyTable(keys) {
  const moment = (epoch, missing) => (epoch === null ? missing : formatMoment(epoch));
  const row = ({ name, created_at: created, expires_at: end, addresses, last_used_at: used, last_used_from: from }) => [
    [name],
    [moment(created, "–")],
    [moment(end, "never")],
    [used === null ? "never" : `${formatMoment(used)}, from ${from}`],
    [addresses.join(", ") || "any"],
  ];
  return dataTable(["Name", "Created", "Expires", "Last used", "Addresses"], keys.map(row));
}

/** Each of `rows` has the content of one cell for each of `columns`. */
function dataTable(columns, rows) {
  const cell = (content, column) => h("td", { "data-column": columns[column] }, h("div", {}, ...content));
  const head = columns.map((text) => h("th", { scope: "col" }, text));
  const body = rows.map((cells) => h("tr", {}, cells.map(cell)));
  return h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body));
}
