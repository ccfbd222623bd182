// The words and buttons over the picture for each of the session's screens.

import { h } from "../dom.js";
import { icon } from "../icons.js";

const FAILURES = {
  connection: "The connection to the server is interrupted",
  missing: "This video is not there any more",
  format: "This browser cannot play this video",
  script: "The player itself could not be loaded",
};

/** The screen as `{icon, title, text, actions}`, or null where the picture speaks for itself. */
function describe(session, title) {
  const { status, opened } = session;
  switch (session.screen) {
    case "ready":
      return {
        icon: "play",
        title,
        text: "Ready when you are.",
        actions: [{ label: "Play", act: () => session.begin() }],
      };
    case "missing":
      return {
        icon: "search",
        title: "No such stream",
        text: `There is no stream called “${title}” here. If it is made later, this page will notice.`,
      };
    case "offline":
      return {
        icon: "moon",
        title: `${title} is offline`,
        text: "Leave this page open: it starts by itself when the broadcast does.",
        actions: status.hls
          ? [{ label: "Watch the last broadcast", act: () => session.watchRecording(status) }]
          : [],
      };
    case "starting":
      return {
        icon: "broadcast",
        title: "Starting",
        text: "The broadcast has begun. The first picture is a moment away.",
      };
    case "waiting":
      return {
        icon: "reconnect",
        title: "The broadcaster is reconnecting",
        text: "The picture goes on by itself as soon as they are back.",
      };
    case "ended":
      return {
        icon: "check",
        title: opened.recording ? "That was the recording" : "The broadcast has ended",
        text: session.followsLive ? "When the next one starts, this page goes live by itself." : "",
        actions: [{ label: "Watch from the start", act: () => session.watchRecording(opened) }],
      };
    case "error":
      return { icon: "alert", title: FAILURES[session.failure.code], text: advice(session.failure, status) };
    default:
      return null;
  }
}

function advice({ code }, status) {
  if (code === "connection" && !navigator.onLine)
    return "You are offline. It goes on by itself when you are connected again.";
  if (code === "format")
    return "Another browser, or a newer version of this one, may. Trying again in the meantime.";
  if (status?.private) return "This stream is private: if this goes on, your link has expired. Ask for a new one.";
  return "Trying again by itself.";
}

/** Keeps `element` showing what `session` says, and touches it only when that changes. */
export class Panel {
  #element;
  #shown = "";

  constructor(element) {
    this.#element = element;
  }

  update(session, title) {
    const content = describe(session, title);
    const key = content
      ? JSON.stringify([content.title, content.text, content.actions?.map(({ label }) => label)])
      : "";
    if (key === this.#shown) return;
    this.#shown = key;
    this.#element.replaceChildren(...(content ? render(content) : []));
  }
}

function render({ icon: name, title, text, actions = [] }) {
  return [
    icon(name),
    h("h2", {}, title),
    text && h("p", {}, text),
    actions.length > 0 &&
      h(
        "div",
        { class: "actions" },
        actions.map(({ label, act }) => h("button", { type: "button", class: "primary", onclick: act }, label)),
      ),
  ].filter(Boolean);
}
