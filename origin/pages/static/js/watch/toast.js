// A message over the picture that disappears by itself.

const SHOWN_MS = 8000;

export class Toast {
  #element;
  #timer = 0;

  /** `element` has the role `status`, so that screen readers read the message. */
  constructor(element) {
    this.#element = element;
  }

  show(text) {
    clearTimeout(this.#timer);
    this.#element.textContent = text;
    this.#timer = setTimeout(() => (this.#element.textContent = ""), SHOWN_MS);
  }
}
