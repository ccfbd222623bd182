// A small area chart of one number over the last minutes, drawn by uPlot.

import { h, setText } from "../dom.js";
import uPlot from "../../vendor/uPlot.esm.js";

const HEIGHT = 112;
const AXIS_WIDTH = 64;
/** Samples further apart than this, in seconds, are not connected: the broadcaster sent nothing in between. */
const GAP_S = 5;
const FONT = "11px system-ui, sans-serif";

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const minutes = new Intl.DateTimeFormat(undefined, CLOCK);
const seconds = new Intl.DateTimeFormat(undefined, { ...CLOCK, second: "2-digit" });
const lightScheme = window.matchMedia("(prefers-color-scheme: light)");

export class Chart {
  #plot = null;
  #value = h("b", {});
  #when = h("span", {});
  #picture = h("div", { role: "img" });
  #format;
  #label;
  #points = [];
  #resized = new ResizeObserver(() => this.#fit());

  /** `format` converts a value to text. */
  constructor(label, format) {
    this.#label = label;
    this.#format = format;
    const caption = h("figcaption", {}, label, h("span", {}, this.#value, this.#when));
    this.element = h("figure", { class: "chart", hidden: true }, caption, this.#picture);
    this.#resized.observe(this.#picture);
    lightScheme.addEventListener("change", () => this.#plot?.redraw(false));
  }

  /** `points` are `{at, value}`, `at` in seconds, oldest first. */
  update(points) {
    this.#points = points;
    const empty = points.length < 2 || points.every(({ value }) => value === 0);
    this.element.hidden = empty;
    if (empty) return;
    this.#plot ??= this.#draw();
    this.#plot.setData(withGaps(points));
    this.#describe();
  }

  #draw() {
    const axis = { stroke: () => colour("--soft"), font: FONT, ticks: { show: false } };
    const grid = { stroke: () => colour("--line"), width: 1 };
    const options = {
      width: this.#picture.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { y: { range: (_, __, highest) => [0, highest * 1.15 || 1] } },
      axes: [
        { ...axis, grid: { show: false }, size: 24, gap: 6, space: 60, values: (_, ticks) => clocksOf(ticks) },
        { ...axis, grid, size: AXIS_WIDTH, gap: 6, space: 28, values: (_, ticks) => ticks.map((tick) => (tick ? this.#format(tick) : "0")) },
      ],
      series: [
        {},
        { stroke: () => colour("--accent"), width: 1.5, fill: () => `${colour("--accent")}22`, points: { show: false } },
      ],
      hooks: { setCursor: [() => this.#describe()] },
    };
    return new uPlot(options, [[], []], this.#picture);
  }

  #fit() {
    const width = this.#picture.clientWidth;
    if (this.#plot && width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }

  /** The caption has the newest value, or the one under the pointer with its time. */
  #describe() {
    const { idx } = this.#plot.cursor;
    const [times, values] = this.#plot.data;
    const pointed = idx === null || idx === undefined || values[idx] === null ? null : idx;
    setText(this.#value, this.#format(pointed === null ? this.#points.at(-1).value : values[pointed]));
    setText(this.#when, pointed === null ? "" : ` at ${seconds.format(1000 * times[pointed])}`);
    const all = this.#points.map(({ value }) => value);
    const range = `between ${this.#format(Math.min(...all))} and ${this.#format(Math.max(...all))}`;
    this.#picture.setAttribute("aria-label", `${this.#label}: ${this.#format(all.at(-1))} now, ${range} lately`);
  }
}

/** The seconds are shown if ticks are less than a minute apart. */
function clocksOf(ticks) {
  const format = ticks.length > 1 && ticks[1] - ticks[0] < 60 ? seconds : minutes;
  return ticks.map((at) => format.format(1000 * at));
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** uPlot's columns: times and values, with a null in each gap. */
function withGaps(points) {
  const times = [];
  const values = [];
  for (const [i, { at, value }] of points.entries()) {
    const before = points[i - 1];
    if (before && at - before.at > GAP_S) {
      times.push((before.at + at) / 2);
      values.push(null);
    }
    times.push(at);
    values.push(value);
  }
  return [times, values];
}
