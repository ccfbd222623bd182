// Small settings that persist after the page is closed. In a sandboxed frame or private mode the browser may forbid it.

import { BASE } from "./base.js";

function attempt(operation) {
  try {
    return operation();
  } catch {
    return null;
  }
}

/** The browser keeps one store for all paths of a host, which may have several servers. */
const name = (key) => (BASE === "/" ? `headwater.${key}` : `headwater${BASE}${key}`);

/** The value stored under `key` for this tab or, otherwise, for this browser; null if absent. */
export function recall(key) {
  return attempt(() => sessionStorage.getItem(name(key)) ?? localStorage.getItem(name(key)));
}

/** Store `value` until the tab is closed or, with `lasting`, until `forget`. */
export function remember(key, value, { lasting = true } = {}) {
  attempt(() => (lasting ? localStorage : sessionStorage).setItem(name(key), value));
}

export function forget(key) {
  attempt(() => sessionStorage.removeItem(name(key)));
  attempt(() => localStorage.removeItem(name(key)));
}
