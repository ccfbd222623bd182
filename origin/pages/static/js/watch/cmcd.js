// Reports in Common Media Client Data, version 2 (CTA-5004-B): dictionaries of structured fields (RFC 9651).

export const MEDIA_TYPE = "application/cmcd";

/** A word that is written without quotes. */
export class Token {
  constructor(name) {
    this.name = name;
  }
}

/** A number of an inner list, with the object type `type` that it is about, or null. */
export class Typed {
  constructor(value, type) {
    this.value = value;
    this.type = type;
  }
}

/** `values` by key; arrays are inner lists. Keys without a value (null, undefined, false) are left out. */
export function encode(values) {
  return Object.keys(values)
    .sort()
    .filter((key) => values[key] !== null && values[key] !== undefined && values[key] !== false)
    .map((key) => (values[key] === true ? key : `${key}=${text(values[key])}`))
    .join(",");
}

function text(value) {
  if (Array.isArray(value)) return `(${value.map(text).join(" ")})`;
  if (value instanceof Token) return value.name;
  if (value instanceof Typed) return value.type ? `${Math.round(value.value)};${value.type}` : text(value.value);
  if (typeof value === "number") return String(Math.round(value));
  return `"${value.replace(/[^ -~]/g, "?").replace(/["\\]/g, "\\$&")}"`;
}
