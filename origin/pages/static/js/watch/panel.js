// The text and buttons over the picture, for each screen of the session.

import { h } from "../dom.js";
import { icon } from "../icons.js";

const FAILURES = {
  connection: "The connection to the server was lost",
  missing: "This video is no longer available",
  refused: "The server does not admit you",
  format: "This browser cannot play this video",
  script: "The player could not be loaded",
};

const REFUSALS = {
  "token-missing": "This stream is private",
  "token-expired": "This link has expired",
};

/** The panel of the screen as `{icon, title, text, actions}`, or null if it has no panel. */
function describe(session, title) {
  const { status, opened } = session;
  switch (session.screen) {
    case "ready":
      return {
        icon: "play",
        title,
        text: "Press play to start.",
        actions: [{ label: "Play", act: () => session.begin() }],
      };
    case "missing":
      return {
        icon: "search",
        title: "No such stream",
        text: `There is no stream called “${title}” on this server. If it is created, this page updates automatically.`,
      };
    case "refused":
      return {
        icon: "lock",
        title: REFUSALS[session.refusal.code] ?? "This link is not valid",
        text: session.refusal.detail,
        actions: [{ label: "Try again", act: () => session.retryAccess() }],
      };
    case "offline":
      return {
        icon: "moon",
        title: `${title} is offline`,
        text: "Leave this page open: playback starts automatically when the broadcast does.",
        actions: status.hls
          ? [{ label: "Watch the last broadcast", act: () => session.watchRecording(status) }]
          : [],
      };
    case "starting":
      return {
        icon: "broadcast",
        title: "Starting",
        text: "The broadcast has begun. The first picture appears in a moment.",
      };
    case "waiting":
      return {
        icon: "reconnect",
        title: "The broadcaster is reconnecting",
        text: "Playback continues automatically when they are back.",
      };
    case "ended":
      return {
        icon: "check",
        title: opened.recording ? "The recording has ended" : "The broadcast has ended",
        text: session.followsLive ? "This page plays the next broadcast automatically when it starts." : "",
        actions: [{ label: "Watch from the start", act: () => session.watchRecording(opened) }],
      };
    case "error":
      return { icon: "alert", title: FAILURES[session.failure.code], text: advice(session.failure) };
    default:
      return null;
  }
}

function advice({ code }) {
  if (code === "connection" && !navigator.onLine)
    return "You are offline. Playback continues automatically when you are connected again.";
  if (code === "format")
    return "Try another browser, or a newer version of this one. This page keeps trying in the meantime.";
  return "Trying again automatically.";
}

/** Shows the panel of the session's screen in `element`, and changes the document only if the panel does. */
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
