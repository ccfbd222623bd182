// One stream on the board. Its element is kept while the stream is listed, so focus and open menus survive updates.

import { h, setText } from "../dom.js";
import { formatBitrate, formatClock, formatNumber, formatSpan } from "../format.js";
import { icon } from "../icons.js";
import { Chart } from "./chart.js";
import { confirmDelete, confirmKill, confirmRotate, createLink, editSettings, showBroadcasts } from "./dialogs.js";
import { describeRendition, describeSource } from "./words.js";

// How long the operator's own token for a private stream is valid, in seconds.
const OPERATOR_TOKEN_S = 3600;
const STATES = { live: "LIVE", waiting: "RECONNECTING", idle: "Offline" };

export class Card {
  #api;
  #stream;
  #refresh;
  #status = null;
  #seenAt = 0;
  #picture = null;
  #title = h("h2", {});
  #name = h("small", {});
  #uptime = h("span", {});
  #word = h("b", {});
  #private = h("span", { class: "private", hidden: true }, icon("lock"), "Private");
  #badge = h("span", { class: "badge" }, h("i", {}), this.#word, this.#uptime);
  #thumbnail = h("img", { alt: "", hidden: true });
  #link = h("a", { class: "thumbnail", target: "_blank", rel: "noopener" }, icon("broadcast"), this.#thumbnail);
  #source = h("p", { class: "source" });
  #sound = h("p", { class: "muted" });
  #publisher = h("p", { class: "muted publisher" });
  #renditions = h("ul", { class: "renditions", "aria-label": "Renditions" });
  #warnings = h("ul", { class: "warnings", "aria-label": "Warnings" });
  #bitrate = new Chart("Bitrate", formatBitrate);
  #rate = new Chart("Frame rate", (fps) => `${formatNumber(fps)} fps`);
  #watch = h("a", { class: "button quiet", target: "_blank", rel: "noopener" }, "Watch page");
  #invite;

  /** `refresh` reloads the list of streams at once; the card calls it after a change. */
  constructor(stream, api, refresh) {
    this.#stream = stream;
    this.#api = api;
    this.#refresh = refresh;
    const after =
      (action) =>
      async (...values) => {
        const result = await action(...values);
        refresh();
        return result;
      };
    const button = (label, onclick, kind = "quiet") => h("button", { type: "button", class: kind, onclick }, label);
    this.kill = button(
      "End broadcast",
      () =>
        confirmKill(
          stream,
          after((ban) => api.kill(stream, ban)),
        ),
      "danger",
    );
    this.remove = button("Delete", () =>
      confirmDelete(
        stream,
        after(() => api.remove(stream)),
      ),
    );
    this.#invite = button("Viewer link", () => createLink(stream, (seconds) => api.token(stream, seconds)));
    for (const link of [this.#link, this.#watch]) link.addEventListener("click", (event) => this.#openWatchPage(event));
    this.details = h(
      "div",
      { class: "details" },
      h("div", { class: "facts" }, this.#source, this.#sound, this.#publisher),
      this.#renditions,
      this.#warnings,
      h("div", { class: "charts" }, this.#bitrate.element, this.#rate.element),
    );
    this.element = h(
      "article",
      { class: "card", "data-stream": stream },
      this.#link,
      h("header", {}, h("div", {}, this.#title, this.#name, this.#private), this.#badge),
      this.details,
      h(
        "footer",
        {},
        this.#watch,
        this.#invite,
        button("Broadcasts", () => showBroadcasts(stream, () => this.#broadcasts())),
        button("Settings", () => editSettings(stream, this.#status, after((settings) => api.change(stream, settings)))),
        button("New key", () => confirmRotate(stream, () => api.rotateKey(stream))),
        this.remove,
        h("span", { class: "gap" }),
        this.kill,
      ),
    );
    this.#thumbnail.addEventListener("load", () => this.#thumbnail.removeAttribute("hidden"));
    this.#bitrate.update([]);
    this.#rate.update([]);
  }

  get onAir() {
    return this.#status.state !== "idle";
  }

  update(status) {
    this.#status = status;
    this.#seenAt = performance.now();
    this.element.dataset.state = status.state;
    this.#badge.dataset.state = status.state;
    setText(this.#word, STATES[status.state]);
    setText(this.#title, status.title || status.stream);
    setText(this.#name, status.title ? status.stream : "");
    this.#link.href = this.#watch.href = status.watch;
    this.#link.title = `Open the watch page of ${status.stream}`;
    this.#private.hidden = this.#invite.hidden = !status.private;
    this.#link.hidden = this.kill.hidden = this.details.hidden = !this.onAir;
    this.remove.hidden = this.onAir;
    this.tick();
    if (this.onAir) this.#updateDetails(status);
    else this.#releasePicture();
  }

  /** Advance the clock between two answers of the server. */
  tick() {
    const { uptime_s: uptime } = this.#status;
    setText(this.#uptime, uptime === null ? "" : formatClock(uptime + (performance.now() - this.#seenAt) / 1000));
  }

  /** Fetch the picture and the last minutes' samples: less often than the status, because they cost more. */
  async updateMedia() {
    const hasVideo = Boolean(this.#status.source?.codec);
    const [picture, history] = await Promise.all([
      hasVideo ? this.#api.thumbnail(this.#stream) : null,
      this.#api.history(this.#stream),
    ]);
    if (picture) this.#showPicture(picture);
    this.#bitrate.update(history.samples.map(({ at, bitrate_bps: value }) => ({ at, value })));
    this.#rate.update(history.samples.map(({ at, fps: value }) => ({ at, value })));
  }

  #updateDetails({ source, renditions, publisher, warnings }) {
    const [picture, sound] = source ? describeSource(source) : ["Waiting for the first frames", ""];
    setText(this.#source, picture);
    setText(this.#sound, sound);
    const from = publisher && [publisher.address, publisher.software].filter(Boolean).join(", ");
    setText(this.#publisher, from ? `From ${from}` : "No publisher is connected");
    replaceItems(this.#renditions, renditions, (rendition) => {
      const { name, detail } = describeRendition(rendition);
      return [h("b", {}, name), ` ${detail}`];
    });
    replaceItems(this.#warnings, warnings, ({ text, since_s: since }) => [
      icon("alert"),
      h("span", {}, text, h("small", {}, ` for ${formatSpan(since)}`)),
    ]);
  }

  /** The watch page of a private stream needs a token, which is requested on click. */
  async #openWatchPage(event) {
    if (!this.#status.private) return;
    event.preventDefault();
    // Opened before the first await: browsers allow a new tab only during the click event.
    const tab = window.open("", "_blank");
    try {
      const { watch } = await this.#api.token(this.#stream, OPERATOR_TOKEN_S);
      tab.opener = null;
      tab.location = watch;
    } catch {
      // The board reports an unreachable server or a deleted stream.
      tab.close();
      this.#refresh();
    }
  }

  async #broadcasts() {
    const broadcasts = await this.#api.broadcasts(this.#stream);
    if (!this.#status.private || broadcasts.length === 0) return broadcasts;
    const { token } = await this.#api.token(this.#stream, OPERATOR_TOKEN_S);
    return broadcasts.map((broadcast) => ({
      ...broadcast,
      watch: withToken(broadcast.watch, token),
      hls: withToken(broadcast.hls, token),
      dash: withToken(broadcast.dash, token),
    }));
  }

  #showPicture(blob) {
    this.#releasePicture();
    this.#picture = URL.createObjectURL(blob);
    this.#thumbnail.src = this.#picture;
  }

  #releasePicture() {
    if (this.#picture) URL.revokeObjectURL(this.#picture);
    this.#picture = null;
  }
}

function withToken(address, token) {
  const url = new URL(address, window.location);
  url.searchParams.set("token", token);
  return url.href;
}

/** Make `list` show `items`; the document changes only if the text does. */
function replaceItems(list, items, render) {
  const made = items.map((item) => h("li", {}, render(item)));
  const textOf = (elements) => [...elements].map((element) => element.textContent).join("\n");
  list.hidden = made.length === 0;
  if (textOf(made) !== textOf(list.children)) list.replaceChildren(...made);
}
