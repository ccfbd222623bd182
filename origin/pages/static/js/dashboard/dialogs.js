// Dialogs: a native modal each, made when it is opened and gone when it is closed.

import { h } from "../dom.js";
import { formatBytes, formatMoment } from "../format.js";
import { icon } from "../icons.js";
import { describeLength } from "./words.js";

const NAME_PATTERN = "[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?";
const BANS = [
  [0, "may come back at once"],
  [60, "stays out for a minute"],
  [600, "stays out for ten minutes"],
  [3600, "stays out for an hour"],
  [86_400, "stays out for a day"],
];

let counter = 0;

/** Open a modal with `title` and `content`; returns the element, whose `close()` ends it. */
function openDialog(title, ...content) {
  const id = `dialog-${(counter += 1)}`;
  const heading = h("h2", { id }, title);
  const dialog = h("dialog", { "aria-labelledby": id }, heading, ...content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * A dialog with a form: `fields`, then Cancel and a button called `action`. `submit` does the work; what it throws is
 * shown in the form, else the dialog closes.
 */
function openForm({ title, text, fields = [], action, dangerous = false, submit }) {
  const error = h("p", { class: "error", role: "alert" });
  const confirm = h("button", { type: "submit", class: dangerous ? "danger" : "primary" }, action);
  const cancel = h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel");
  async function onsubmit(event) {
    event.preventDefault();
    confirm.disabled = true;
    error.textContent = "";
    try {
      await submit();
      dialog.close();
    } catch (problem) {
      error.textContent = problem.message;
      confirm.disabled = false;
    }
  }
  const form = h("form", { onsubmit }, fields, error, h("div", { class: "actions" }, cancel, confirm));
  const dialog = openDialog(title, h("p", { class: "muted" }, text), form);
  return dialog;
}

export function confirmKill(stream, kill) {
  const ban = h(
    "select",
    { id: "ban" },
    BANS.map(([value, label]) => h("option", { value }, label)),
  );
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
    text: "Its key stops working and its watch page is gone.",
    action: "Delete stream",
    dangerous: true,
    submit: remove,
  });
}

export function confirmRotate(stream, rotate) {
  openForm({
    title: `Make a new key for ${stream}?`,
    text: "The present key is refused from the next connection on: the broadcaster has to type in the new one.",
    action: "Make new key",
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
    title: "Small letters, digits and inner hyphens",
    placeholder: "studio-a",
  });
  openForm({
    title: "New stream",
    text: "The name is part of the watch page's address: small letters, digits and hyphens.",
    fields: [h("label", { for: "name" }, "Name"), name],
    action: "Create",
    submit: async () => showKey(await create(name.value)),
  });
}

/** Server and key, to be typed into the broadcaster's settings. */
function showKey({ stream, server, key, watch }) {
  const done = h(
    "button",
    { type: "button", class: "primary", autofocus: true, onclick: () => dialog.close() },
    "Done",
  );
  const dialog = openDialog(
    `Broadcast to ${stream}`,
    h(
      "p",
      { class: "muted" },
      "In OBS: Settings, Stream, Service “Custom…”, then these two. The key is shown only now.",
    ),
    secretField("Server", server),
    secretField("Stream Key", key),
    secretField("Watch page", new URL(watch, window.location).href),
    h("div", { class: "actions" }, done),
  );
}

function secretField(label, value) {
  const id = `field-${(counter += 1)}`;
  const field = h("input", { id, readOnly: true, value, onfocus: () => field.select() });
  const copy = h(
    "button",
    { type: "button", class: "quiet", title: `Copy ${label}`, "aria-label": `Copy ${label}` },
    icon("copy"),
  );
  copy.addEventListener("click", async () => {
    await copyText(field);
    copy.replaceChildren(icon("check"));
  });
  return h("div", { class: "field" }, h("label", { for: id }, label), h("div", { class: "copyable" }, field, copy));
}

/** The clipboard interface is only there on HTTPS and localhost; the older command works on a plain address too. */
async function copyText(field) {
  field.select();
  if (navigator.clipboard)
    await navigator.clipboard.writeText(field.value).catch(() => document.execCommand("copy"));
  else document.execCommand("copy");
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
