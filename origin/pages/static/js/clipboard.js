// Copies text. The Clipboard API exists only on HTTPS and localhost; the older command also works on plain HTTP.

import { h } from "./dom.js";

/** `beside` is an element within the open dialog, or anywhere on a page without one. */
export async function copyText(text, beside) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = h("textarea", { value: text, readOnly: true, class: "offscreen" });
    beside.after(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}
