// The sign-in form, which asks for the API token.

import { h } from "../dom.js";
import { Api } from "./api.js";

/**
 * The form calls `onToken(token, lasting)` once the server has accepted the token. `message` is the reason why the form is
 * shown again.
 */
export function loginForm({ message = "", onToken }) {
  const token = h("input", {
    id: "token",
    type: "password",
    required: true,
    autocomplete: "current-password",
    autofocus: true,
    spellcheck: false,
  });
  const lasting = h("input", { id: "lasting", type: "checkbox" });
  const error = h("p", { class: "error", role: "alert" }, message);
  const button = h("button", { type: "submit", class: "primary" }, "Sign in");

  async function submit(event) {
    event.preventDefault();
    const value = token.value.trim();
    button.disabled = true;
    error.textContent = "";
    try {
      await new Api(value).access();
    } catch (problem) {
      error.textContent = problem.message;
      token.select();
      return;
    } finally {
      button.disabled = false;
    }
    onToken(value, lasting.checked);
  }

  return h(
    "form",
    { class: "login", onsubmit: submit },
    h("h2", {}, "Sign in"),
    h(
      "p",
      { class: "muted" },
      "With an API token. The first one is in the file ",
      h("code", {}, "api-token"),
      " in the server's data directory.",
    ),
    h("label", { for: "token" }, "API token"),
    token,
    h("label", { class: "check", for: "lasting" }, lasting, "Stay signed in on this device"),
    error,
    button,
  );
}
