// All streams as cards, live ones first, updated for as long as the board is on the page.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { ApiError } from "./api.js";
import { Card } from "./card.js";
import { createStream } from "./dialogs.js";

const RETRY_MS = 2000;
const MEDIA_MS = 4000;
const CLOCK_MS = 1000;
/** The clocks stop if the server, which sends an event each second, was silent for longer than this. */
const FRESH_MS = 6000;
/** The connection is opened again if the server was silent for longer than this. */
const SILENCE_MS = 15_000;
const ORDER = { live: 0, waiting: 1, idle: 2 };

export class Board {
  #api;
  #onTally;
  #onTrouble;
  #onState;
  #cards = new Map();
  #live = h("section", { class: "live", "aria-label": "On air" });
  #idleHeading = h("h2", {}, "Offline");
  #idle = h("section", { class: "idle", "aria-label": "Offline" });
  #empty = h("p", { class: "empty", hidden: true }, "No streams yet. Create one, then enter its server and key in OBS.");
  #visible = new Set();
  #observer = new IntersectionObserver((entries) => this.#onVisibility(entries));
  #timers = [];
  #streams = new Map();
  /** Aborts the following of the server. */
  #following = null;
  #heardAt = 0;
  #knownAt = 0;
  #troubled = false;

  /**
   * Calls `onTally(text)` with the number of live streams, `onTrouble(error or null)` as trouble comes and goes, and
   * `onState(state)` each second with the server's own state.
   */
  constructor({ api, onTally, onTrouble, onState }) {
    this.#api = api;
    this.#onTally = onTally;
    this.#onTrouble = onTrouble;
    this.#onState = onState;
    this.element = h("div", { class: "board" }, this.#empty, this.#live, this.#idleHeading, this.#idle);
    this.create = h(
      "button",
      {
        type: "button",
        class: "primary",
        hidden: !api.may("admin"),
        "aria-label": "New stream",
        onclick: () => createStream((...settings) => this.#create(...settings)),
      },
      icon("plus"),
      h("span", {}, "New stream"),
    );
  }

  /** `streams` is the server's latest list. */
  start(streams) {
    this.#showAll(streams);
    this.#timers = [
      setInterval(() => document.hidden || this.#refreshMedia(), MEDIA_MS),
      setInterval(() => this.#tick(), CLOCK_MS),
    ];
    document.addEventListener("visibilitychange", this.#follow);
    this.#follow();
  }

  stop() {
    this.#timers.forEach(clearInterval);
    document.removeEventListener("visibilitychange", this.#follow);
    this.#following?.abort();
    this.#observer.disconnect();
  }

  async refresh() {
    try {
      this.#showAll(await this.#api.streams());
      this.#onTrouble(null);
    } catch (error) {
      this.#lose(error);
    }
  }

  /** Follow the server while the page is visible. An arrow function, because it is a listener. */
  #follow = async () => {
    this.#following?.abort();
    if (document.hidden) return;
    const following = (this.#following = new AbortController());
    while (!following.signal.aborted) {
      try {
        await this.#connect(following.signal);
      } catch (error) {
        if (!following.signal.aborted) this.#lose(error);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };

  /** Follow the server until the connection ends, `signal` aborts, or the server is silent for too long. */
  async #connect(signal) {
    const silence = new AbortController();
    this.#heardAt = performance.now();
    const watchdog = setInterval(() => {
      if (performance.now() - this.#heardAt > SILENCE_MS) silence.abort();
    }, CLOCK_MS);
    try {
      await this.#api.follow((name, data) => this.#onEvent(name, data), AbortSignal.any([signal, silence.signal]));
    } finally {
      clearInterval(watchdog);
    }
  }

  /** `server` is the last event of each second. */
  #onEvent(name, data) {
    this.#heardAt = performance.now();
    if (name === "streams") this.#showAll(data);
    else if (name === "stream") this.#streams.set(data.stream, data) && this.#show();
    else if (name === "removed") this.#streams.delete(data.stream) && this.#show();
    else if (name === "trouble") {
      this.#troubled = true;
      this.#lose(new ApiError(503, data.code, data.detail));
    } else if (name === "server") {
      if (!this.#troubled) this.#know();
      this.#troubled = false;
      this.#onState(data);
    }
  }

  #know() {
    this.#knownAt = performance.now();
    this.element.classList.remove("stale");
    this.#onTrouble(null);
  }

  #lose(error) {
    this.#knownAt = -Infinity;
    this.#tick();
    this.#onTrouble(error);
  }

  /** Without recent news, the cards show the last ones, and no time passes on them. */
  #tick() {
    const fresh = performance.now() - this.#knownAt < FRESH_MS;
    this.element.classList.toggle("stale", !fresh);
    if (fresh) this.#cards.forEach((card) => card.tick());
  }

  async #create(name, isPrivate) {
    const created = await this.#api.create(name, isPrivate);
    this.refresh();
    return created;
  }

  #showAll(streams) {
    this.#streams = new Map(streams.map((status) => [status.stream, status]));
    this.#knownAt = performance.now();
    this.element.classList.remove("stale");
    this.#show();
  }

  #show() {
    const streams = [...this.#streams.values()];
    const sorted = streams.sort((a, b) => ORDER[a.state] - ORDER[b.state] || a.stream.localeCompare(b.stream));
    for (const [name, card] of this.#cards) {
      if (!this.#streams.has(name)) this.#drop(name, card);
    }
    for (const status of sorted) this.#cardOf(status.stream).update(status);
    const cards = sorted.map(({ stream }) => this.#cards.get(stream));
    arrange(
      this.#live,
      cards.filter((card) => card.onAir),
    );
    arrange(
      this.#idle,
      cards.filter((card) => !card.onAir),
    );
    this.#idleHeading.hidden = this.#idle.childElementCount === 0;
    this.#empty.hidden = streams.length > 0;
    const live = streams.filter(({ state }) => state === "live").length;
    this.#onTally(`${live} of ${streams.length} live`);
  }

  #cardOf(name) {
    if (!this.#cards.has(name)) {
      const card = new Card(name, this.#api, () => this.refresh());
      this.#cards.set(name, card);
      this.#observer.observe(card.element);
    }
    return this.#cards.get(name);
  }

  #drop(name, card) {
    this.#observer.unobserve(card.element);
    this.#visible.delete(name);
    this.#cards.delete(name);
    card.element.remove();
  }

  #onVisibility(entries) {
    for (const { target, isIntersecting } of entries) {
      const name = target.dataset.stream;
      if (!isIntersecting) this.#visible.delete(name);
      else if (!this.#visible.has(name)) {
        this.#visible.add(name);
        this.#refreshCard(name);
      }
    }
  }

  #refreshMedia() {
    for (const name of this.#visible) this.#refreshCard(name);
  }

  /** Errors are ignored here: `refresh` reports a deleted stream or an unreachable server. */
  #refreshCard(name) {
    const card = this.#cards.get(name);
    if (card?.onAir) card.updateMedia().catch(() => {});
  }
}

/** Put the cards into `section` in this order, moving only those in the wrong place. */
function arrange(section, cards) {
  cards.forEach(({ element }, index) => {
    if (section.children[index] !== element) section.insertBefore(element, section.children[index] ?? null);
  });
}
