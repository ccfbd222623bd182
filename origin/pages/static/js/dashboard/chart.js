// A small area chart of one number over the last minutes.

import { h, setText, svg } from "../dom.js";

const WIDTH = 300;
const HEIGHT = 56;
/** Samples further apart than this, in seconds, are not connected: the broadcaster sent nothing in between. */
const GAP_S = 5;

export class Chart {
  #line = svg("path", { class: "line", "vector-effect": "non-scaling-stroke" });
  #area = svg("path", { class: "area" });
  #value = h("b", {});
  #top = h("span", { class: "top" });
  #format;
  #label;

  /** `format` converts a value to text. */
  constructor(label, format) {
    this.#label = label;
    this.#format = format;
    this.picture = svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      this.#area,
      this.#line,
    );
    this.element = h(
      "figure",
      { class: "chart" },
      h("figcaption", {}, label, this.#value),
      this.picture,
      this.#top,
    );
  }

  /** `points` are `{at, value}`, `at` in seconds, oldest first. */
  update(points) {
    this.element.hidden = points.length < 2;
    if (this.element.hidden) return;
    const values = points.map(({ value }) => value);
    const top = Math.max(...values) * 1.15 || 1;
    const [first, last] = [points[0].at, points.at(-1).at];
    const x = (at) => (((at - first) / (last - first || 1)) * WIDTH).toFixed(1);
    const y = (value) => (HEIGHT - (value / top) * HEIGHT).toFixed(1);
    const runs = splitAtGaps(points);
    const line = (run) => run.map(({ at, value }, i) => `${i ? "L" : "M"}${x(at)} ${y(value)}`).join("");
    this.#line.setAttribute("d", runs.map(line).join(""));
    this.#area.setAttribute(
      "d",
      runs.map((run) => `${line(run)}L${x(run.at(-1).at)} ${HEIGHT}L${x(run[0].at)} ${HEIGHT}Z`).join(""),
    );
    setText(this.#value, this.#format(values.at(-1)));
    setText(this.#top, `peak ${this.#format(Math.max(...values))}`);
    const range = `between ${this.#format(Math.min(...values))} and ${this.#format(Math.max(...values))}`;
    this.picture.setAttribute("aria-label", `${this.#label}: ${this.#format(values.at(-1))} now, ${range} lately`);
  }
}

function splitAtGaps(points) {
  const runs = [[points[0]]];
  for (const [i, point] of points.slice(1).entries()) {
    if (point.at - points[i].at > GAP_S) runs.push([]);
    runs.at(-1).push(point);
  }
  return runs;
}
