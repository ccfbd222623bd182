// Small settings that outlive the page, where the browser allows it: a sandboxed frame or private mode may not.

function attempt(operation) {
  try {
    return operation();
  } catch {
    return null;
  }
}

const name = (key) => `headwater.${key}`;

/** The value kept under `key` for this tab or, else, for this browser; null where there is none. */
export function recall(key) {
  return attempt(() => sessionStorage.getItem(name(key)) ?? localStorage.getItem(name(key)));
}

/** Keep `value` until the tab is closed or, with `lasting`, until it is forgotten. */
export function remember(key, value, { lasting = true } = {}) {
  attempt(() => (lasting ? localStorage : sessionStorage).setItem(name(key), value));
}

export function forget(key) {
  attempt(() => sessionStorage.removeItem(name(key)));
  attempt(() => localStorage.removeItem(name(key)));
}
