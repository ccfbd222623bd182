// The stream's title, what is on, and a button that passes the page on.

import { copyText } from "../clipboard.js";
import { h, setText } from "../dom.js";
import { formatMoment, formatSpan } from "../format.js";
import { icon } from "../icons.js";
import { startOf } from "./source.js";

const CONFIRMED_MS = 2000;

export class About {
  #title;
  #summary;

  constructor({ title, summary, share }) {
    this.#title = title;
    this.#summary = summary;
    share.append(shareButton());
  }

  /** `title` is the stream's title, or its name. */
  update(session, title) {
    setText(this.#title, title);
    setText(this.#summary, summarize(session));
  }
}

function summarize({ opened, reachable, refusal, status }) {
  if (!reachable) return "No connection to the server";
  if (refusal) return "Private";
  if (opened?.recording) return `Recording of ${formatMoment(startOf(opened.broadcast))}`;
  switch (status?.state) {
    case "live":
      return status.broadcast ? `Live for ${formatSpan(Date.now() / 1000 - startOf(status.broadcast))}` : "Live now";
    case "waiting":
      return "The broadcaster is reconnecting";
    case "idle":
      return "Offline";
    default:
      return "";
  }
}

function shareButton() {
  const words = h("span", {}, navigator.share ? "Share" : "Copy link");
  const button = h("button", { type: "button" }, icon(navigator.share ? "share" : "copy"), words);
  button.addEventListener("click", async () => {
    const url = window.location.href;
    if (navigator.share) {
      // The viewer may dismiss the sheet, which rejects the promise.
      await navigator.share({ title: document.title, url }).catch(() => {});
      return;
    }
    await copyText(url, button);
    setText(words, "Copied");
    setTimeout(() => setText(words, "Copy link"), CONFIRMED_MS);
  });
  return button;
}
