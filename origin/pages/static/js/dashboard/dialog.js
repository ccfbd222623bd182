// Dialogs: each is a native modal element, created when it opens and removed when it closes.

import { copyText } from "../clipboard.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";

let counter = 0;

/** Open a modal with `title` and `content`; returns its element, whose `close()` closes it. */
export function openDialog(title, ...content) {
  const id = `dialog-${(counter += 1)}`;
  const heading = h("h2", { id }, title);
  const dialog = h("dialog", { "aria-labelledby": id }, heading, ...content);
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * A dialog with a form: `fields`, then Cancel and a button labelled `action`. If `submit` throws, the form shows the error;
 * otherwise the dialog closes.
 */
export function openForm({ title, text, fields = [], action, dangerous = false, submit }) {
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

/** A select element: `options` are pairs of value and label; the first is selected. */
export function choice(id, options) {
  return h(
    "select",
    { id },
    options.map(([value, label]) => h("option", { value }, label)),
  );
}

/** A dialog of values to copy, each with its label. */
export function showFields(title, text, fields) {
  const done = h(
    "button",
    { type: "button", class: "primary", autofocus: true, onclick: () => dialog.close() },
    "Done",
  );
  const dialog = openDialog(
    title,
    h("p", { class: "muted" }, text),
    ...fields.map(([label, value]) => copyField(label, value)),
    h("div", { class: "actions" }, done),
  );
}

/** A value in a field with a button that copies it. */
export function copyField(label, value) {
  const id = `field-${(counter += 1)}`;
  const field = h("input", { id, readOnly: true, value, onfocus: () => field.select() });
  const copy = h(
    "button",
    { type: "button", class: "quiet", title: `Copy ${label}`, "aria-label": `Copy ${label}` },
    icon("copy"),
  );
  copy.addEventListener("click", async () => {
    await copyText(value, copy);
    copy.replaceChildren(icon("check"));
  });
  return h("div", { class: "field" }, h("label", { for: id }, label), h("div", { class: "copyable" }, field, copy));
}
