// The quality menu: a button, and above it a list of radio items with arrow-key navigation (ARIA menu button pattern).

import { AUTO } from "../engines/engine.js";
import { h, setText } from "../dom.js";
import { formatBitrate } from "../format.js";
import { icon } from "../icons.js";

export class QualityMenu {
  #session;
  #label = h("span", {});
  #shown = "";

  constructor(session) {
    this.#session = session;
    this.list = h("div", { class: "menu", role: "menu", hidden: true, "aria-label": "Quality" });
    this.button = h(
      "button",
      {
        type: "button",
        class: "text",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        title: "Quality (q)",
        id: "quality",
      },
      icon("settings"),
      this.#label,
    );
    this.element = h("div", { class: "quality" }, this.list, this.button);
    this.button.addEventListener("click", () => this.toggle());
    this.list.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("pointerdown", (event) => this.element.contains(event.target) || this.close());
  }

  get open() {
    return !this.list.hidden;
  }

  toggle() {
    if (this.open) return this.close();
    if (this.button.disabled) return;
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.list.querySelector('[aria-checked="true"]')?.focus();
  }

  close() {
    if (!this.open) return;
    if (this.list.contains(document.activeElement)) this.button.focus();
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  update() {
    const { engine } = this.#session;
    const playing = engine?.playing?.label;
    const automatic = !engine || engine.selected === AUTO;
    const auto = automatic && playing ? `Auto (${playing})` : "Auto";
    const choices = [{ id: AUTO, label: auto, bitrate: 0 }, ...(engine?.qualities ?? [])];
    setText(this.#label, automatic ? (playing ?? "Auto") : (engine.quality(engine.selected)?.label ?? "Auto"));
    this.button.setAttribute("aria-label", `Quality: ${this.#label.textContent}${automatic ? ", automatic" : ""}`);
    this.button.disabled = choices.length < 2;
    const key = JSON.stringify([choices, engine?.selected]);
    if (key === this.#shown) return;
    this.#shown = key;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.quality : null;
    this.list.replaceChildren(
      ...choices.map((choice) => this.#item(choice, choice.id === (engine?.selected ?? AUTO))),
    );
    if (focused) this.#items.find((item) => item.dataset.quality === focused)?.focus();
  }

  #item({ id, label, bitrate }, checked) {
    return h(
      "button",
      {
        type: "button",
        role: "menuitemradio",
        "aria-checked": String(checked),
        "data-quality": id,
        tabIndex: -1,
        onclick: () => this.#choose(id),
      },
      icon("check"),
      h("span", {}, label),
      bitrate > 0 && h("small", {}, formatBitrate(bitrate)),
    );
  }

  #choose(id) {
    this.close();
    this.#session.select(id);
  }

  get #items() {
    return [...this.list.children];
  }

  #onKey(event) {
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const to = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (event.key === "Escape" || event.key === "Tab") this.close();
    else if (to !== undefined) items[to].focus();
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  }
}
