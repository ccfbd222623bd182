// One stream on the board. Its element is kept while the stream is listed, so focus and open menus survive updates.

import { h, setText } from "../dom.js";
import { formatAgo, formatBitrate, formatClock, formatMoment, formatNumber, formatSpan } from "../format.js";
import { icon } from "../icons.js";
import { Chart } from "./chart.js";
import {
  confirmBackupKey,
  confirmBackupRemoval,
  confirmDelete,
  confirmKill,
  confirmRotate,
  confirmSwitch,
  createLink,
  editSettings,
  showBroadcasts,
  showEvents,
  showKeys,
} from "./dialogs.js";
import { showPublishing } from "./publishing.js";
import { describeBan, describePlayback, describePublishers, describeRendition, describeSource } from "./words.js";

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
  #last = h("small", { class: "last" });
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
  #playback = h("dl", { class: "playback", "aria-label": "Playback, as players report it", hidden: true });
  #warnings = h("ul", { class: "warnings", "aria-label": "Warnings" });
  #bitrate = new Chart("Bitrate", formatBitrate);
  #rate = new Chart("Frame rate", (fps) => `${formatNumber(fps)} fps`);
  #watch = h("a", { class: "button quiet", target: "_blank", rel: "noopener" }, "Watch page");
  #events;
  #invite;
  #switch;

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
    const allowed = (scope, ...elements) => (api.may(scope) ? elements : []);
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
    this.#switch = button("", () =>
      confirmSwitch(
        stream,
        this.#status.standby.role,
        after(() => api.switchPublisher(stream)),
      ),
    );
    this.#events = button("Events", () => showEvents(stream, () => api.events(stream)));
    this.#invite = button("Viewer link", () => createLink(stream, (seconds) => api.token(stream, seconds)));
    for (const link of [this.#link, this.#watch]) link.addEventListener("click", (event) => this.#openWatchPage(event));
    this.details = h(
      "div",
      { class: "details" },
      h("div", { class: "facts" }, this.#source, this.#sound, this.#publisher),
      this.#renditions,
      this.#playback,
      this.#warnings,
      h("div", { class: "charts" }, this.#bitrate.element, this.#rate.element),
    );
    this.element = h(
      "article",
      { class: "card", "data-stream": stream },
      this.#link,
      h("header", {}, h("div", {}, this.#title, h("p", {}, this.#name, this.#private, this.#last)), this.#badge),
      this.details,
      h(
        "footer",
        {},
        this.#watch,
        allowed("operate", this.#invite),
        button("Publish", () => this.#showPublishing()),
        button("Keys", () => showKeys(stream, () => api.keys(stream))),
        button("Broadcasts", () =>
          showBroadcasts(stream, () => this.#broadcasts(), {
            keep: api.may("operate") && ((broadcast) => api.keep(stream, broadcast, true)),
            release: api.may("admin") && ((broadcast) => api.keep(stream, broadcast, false)),
            remove: api.may("admin") && ((broadcast) => api.removeRecording(stream, broadcast)),
          }),
        ),
        this.#events,
        allowed(
          "operate",
          button("Settings", () => editSettings(stream, this.#status, after((settings) => api.change(stream, settings)))),
        ),
        allowed("admin", button("New key", () => this.#confirmRotate()), this.remove),
        h("span", { class: "gap" }),
        allowed("operate", this.#switch, this.kill),
      ),
    );
    this.#thumbnail.addEventListener("load", () => this.#thumbnail.removeAttribute("hidden"));
  }

  get onAir() {
    return this.#status.state !== "idle";
  }

  /** A private stream is watched with a viewer's token, which a read-only token cannot make. */
  get #mayWatch() {
    return !this.#status.private || this.#api.may("operate");
  }

  update(status) {
    this.#status = status;
    this.#seenAt = performance.now();
    this.element.dataset.state = status.state;
    this.#badge.dataset.state = status.state;
    setText(this.#word, STATES[status.state]);
    setText(this.#title, status.title || status.stream);
    this.#title.title = status.title;
    setText(this.#name, status.title ? status.stream : "");
    this.#link.href = this.#watch.href = status.watch;
    this.#link.title = this.#mayWatch
      ? `Open the watch page of ${status.stream}`
      : "This stream is private, and your token may not make links for it";
    this.#watch.hidden = !this.#mayWatch;
    this.#private.hidden = this.#invite.hidden = !status.private;
    this.#link.hidden = this.kill.hidden = this.details.hidden = !this.onAir;
    this.remove.hidden = this.onAir;
    this.#switch.hidden = !status.standby;
    if (status.standby) setText(this.#switch, `Switch to ${status.standby.role}`);
    this.#events.hidden = !this.onAir && status.last_live_at === null;
    this.tick();
    if (this.onAir) this.#updateDetails(status);
    else this.#releasePicture();
  }

  /** Advance the clock between two answers of the server. */
  tick() {
    const { ban, last_live_at: last, uptime_s: uptime } = this.#status;
    const lastLive = last === null ? "Never live" : `Last live ${formatAgo(last)}`;
    setText(this.#last, this.onAir ? "" : ban ? describeBan(ban) : lastLive);
    this.#last.title = last === null ? "" : formatMoment(last);
    setText(this.#uptime, uptime === null ? "" : formatClock(uptime + (performance.now() - this.#seenAt) / 1000));
  }

  /** Fetch the picture and the last minutes' samples: less often than the status, because they cost more. */
  async updateMedia() {
    const hasVideo = Boolean(this.#status.source?.codec);
    const [picture, history, qoe] = await Promise.all([
      hasVideo ? this.#api.thumbnail(this.#stream) : null,
      this.#api.history(this.#stream),
      this.#api.qoe(this.#stream),
    ]);
    if (picture) this.#showPicture(picture);
    this.#updatePlayback(qoe);
    this.#bitrate.update(history.samples.map(({ at, bitrate_bps: value }) => ({ at, value })));
    this.#rate.update(history.samples.map(({ at, fps: value }) => ({ at, value })));
  }

  #updateDetails(status) {
    const { source, renditions, warnings } = status;
    const [picture, sound] = source ? describeSource(source) : ["Waiting for the first frames", ""];
    setText(this.#source, picture);
    setText(this.#sound, sound);
    setText(this.#publisher, describePublishers(status));
    replaceItems(this.#renditions, renditions, (rendition) => {
      const { name, detail } = describeRendition(rendition);
      return [h("b", {}, name), ` ${detail}`];
    });
    replaceItems(this.#warnings, warnings, ({ text, since_s: since }) => [
      icon("alert"),
      h("span", {}, text, h("small", {}, ` for ${formatSpan(since)}`)),
    ]);
  }

  #updatePlayback(qoe) {
    const rows = describePlayback(qoe).map(([label, text]) => h("div", {}, h("dt", {}, label), h("dd", {}, text)));
    this.#playback.hidden = rows.length === 0;
    replaceIfChanged(this.#playback, rows);
  }

  #showPublishing() {
    const { server, watch, key_created_at: keyCreatedAt } = this.#status;
    const facts = { stream: this.#stream, server, watch, keyCreatedAt };
    showPublishing(
      this.#api.may("admin") ? { ...facts, rotate: () => this.#confirmRotate(), backup: this.#backup() } : facts,
    );
  }

  #backup() {
    const stream = this.#stream;
    const createdAt = this.#status.backup_key_created_at;
    const change = async (action) => {
      const result = await action;
      this.#refresh();
      return result;
    };
    return {
      createdAt,
      create: () => confirmBackupKey(stream, createdAt !== null, () => change(this.#api.rotateBackupKey(stream))),
      remove: () => confirmBackupRemoval(stream, () => change(this.#api.removeBackupKey(stream))),
    };
  }

  #confirmRotate() {
    confirmRotate(this.#stream, async () => {
      const created = await this.#api.rotateKey(this.#stream);
      this.#refresh();
      return created;
    });
  }

  /** The watch page of a private stream needs a token, which is requested on click. */
  async #openWatchPage(event) {
    if (!this.#status.private) return;
    event.preventDefault();
    if (!this.#mayWatch) return;
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
    if (!this.#status.private || !this.#mayWatch || broadcasts.length === 0) return broadcasts;
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
  list.hidden = made.length === 0;
  replaceIfChanged(list, made);
}

/** Replace the children of `element` if their text has changed. */
function replaceIfChanged(element, children) {
  const textOf = (elements) => [...elements].map((each) => each.textContent).join("\n");
  if (textOf(children) !== textOf(element.children)) element.replaceChildren(...children);
}
