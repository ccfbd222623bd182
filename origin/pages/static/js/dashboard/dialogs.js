// The operator's dialogs.

import { h } from "../dom.js";
import { formatBytes, formatMoment } from "../format.js";
import { choice, openDialog, openForm, showFields } from "./dialog.js";
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
    submit: async () => showKey(await rotate()),
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
    submit: async () => showKey(await create(name.value, secret.checked)),
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

/** The server address and key, to be entered in the broadcaster's settings. */
function showKey({ stream, server, key, watch }) {
  const text = "In OBS: Settings, Stream, Service “Custom…”, then Server and Stream Key. The key is shown only once.";
  showFields(`Broadcast to ${stream}`, text, [
    ["Server", server],
    ["Stream Key", key],
    ["Watch page", new URL(watch, window.location).href],
  ]);
}

export async function showBroadcasts(stream, load) {
  const body = h("div", { class: "broadcasts" }, h("p", { class: "muted" }, "Loading…"));
  const close = h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close");
  const dialog = openDialog(`Broadcasts of ${stream}`, body, h("div", { class: "actions" }, close));
  try {
    const broadcasts = await load();
    body.replaceChildren(broadcasts.length ? broadcastTable(broadcasts) : h("p", { class: "muted" }, "None yet."));
  } catch (error) {
    body.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
  }
}

function broadcastTable(broadcasts) {
  const link = (href, text) => h("a", { href, target: "_blank", rel: "noopener" }, text);
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Started", "Length", "Size", "Links"].map((text) => h("th", { scope: "col" }, text)),
      ),
    ),
    h(
      "tbody",
      {},
      broadcasts.map((broadcast) =>
        h(
          "tr",
          {},
          h("td", {}, formatMoment(broadcast.started_at)),
          h("td", {}, describeLength(broadcast)),
          h("td", {}, formatBytes(broadcast.bytes)),
          h(
            "td",
            { class: "links" },
            link(broadcast.watch, "Watch"),
            link(broadcast.hls, "HLS"),
            link(broadcast.dash, "DASH"),
          ),
        ),
      ),
    ),
  );
}
