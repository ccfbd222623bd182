// All streams as cards, live ones first, updated for as long as the board is on the page.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { Card } from "./card.js";
import { createStream } from "./dialogs.js";

const STATUS_MS = 2000;
const MEDIA_MS = 4000;
const CLOCK_MS = 1000;
const ORDER = { live: 0, waiting: 1, idle: 2 };

export class Board {
  #api;
  #onTally;
  #onTrouble;
  #cards = new Map();
  #live = h("section", { class: "live", "aria-label": "On air" });
  #idleHeading = h("h2", {}, "Offline");
  #idle = h("section", { class: "idle", "aria-label": "Offline" });
  #empty = h("p", { class: "empty", hidden: true }, "No streams yet. Create one, then enter its server and key in OBS.");
  #visible = new Set();
  #observer = new IntersectionObserver((entries) => this.#onVisibility(entries));
  #timers = [];

  /** Calls `onTally(text)` with the number of live streams, and `onTrouble(error or null)` after each request. */
  constructor({ api, onTally, onTrouble }) {
    this.#api = api;
    this.#onTally = onTally;
    this.#onTrouble = onTrouble;
    this.element = h("div", { class: "board" }, this.#empty, this.#live, this.#idleHeading, this.#idle);
    this.create = h(
      "button",
      {
        type: "button",
        class: "primary",
        "aria-label": "New stream",
        onclick: () => createStream((...settings) => this.#create(...settings)),
      },
      icon("plus"),
      h("span", {}, "New stream"),
    );
  }

  /** `streams` is the server's latest list. */
  start(streams) {
    this.#show(streams);
    this.#timers = [
      setInterval(() => document.hidden || this.refresh(), STATUS_MS),
      setInterval(() => document.hidden || this.#refreshMedia(), MEDIA_MS),
      setInterval(() => this.#cards.forEach((card) => card.onAir && card.tick()), CLOCK_MS),
    ];
  }

  stop() {
    this.#timers.forEach(clearInterval);
    this.#observer.disconnect();
  }

  async refresh() {
    try {
      this.#show(await this.#api.streams());
      this.#onTrouble(null);
    } catch (error) {
      this.#onTrouble(error);
    }
  }

  async #create(name, isPrivate) {
    const created = await this.#api.create(name, isPrivate);
    this.refresh();
    return created;
  }

  #show(streams) {
    const sorted = [...streams].sort((a, b) => ORDER[a.state] - ORDER[b.state] || a.stream.localeCompare(b.stream));
    for (const [name, card] of this.#cards) {
      if (!streams.some(({ stream }) => stream === name)) this.#drop(name, card);
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
