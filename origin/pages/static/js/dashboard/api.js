// The REST API under /api/v1, called with an API token.

import { BASE } from "../base.js";
import { readProblem } from "../problem.js";
import { readEvents } from "./server-sent.js";

/** The server itself answers within less, also if a stream's worker does not. */
const TIMEOUT_MS = 10_000;

/** A request that the server refused or could not fulfil. `status` is 0 if it did not answer; the message is for people. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// Each scope includes those before it.
const SCOPES = ["read", "operate", "admin"];

export class Api {
  #token;
  #scope = "read";

  constructor(token) {
    this.#token = token;
  }

  /** Calls `onEvent(name, data)` for each event of the server. Throws when the connection ends or `signal` aborts. */
  async follow(onEvent, signal) {
    const response = await this.#request("GET", "/events", undefined, signal);
    await readEvents(response.body, onEvent);
    throw new ApiError(0, "ended", "The connection to the server has ended.");
  }

  /** The name and scope of the token, which `may` then knows. */
  async access() {
    const access = await this.#json("GET", "/access");
    this.#scope = access.scope;
    return access;
  }

  /** Whether the token has `scope`. */
  may(scope) {
    return SCOPES.indexOf(this.#scope) >= SCOPES.indexOf(scope);
  }

  streams() {
    return this.#json("GET", "/streams");
  }

  history(stream) {
    return this.#json("GET", `${path(stream)}/history`);
  }

  /** How playback is, as players report it. */
  qoe(stream) {
    return this.#json("GET", `${path(stream)}/qoe`);
  }

  /** The stream's keys, without the keys themselves. */
  keys(stream) {
    return this.#json("GET", `${path(stream)}/keys`);
  }

  broadcasts(stream) {
    return this.#json("GET", `${path(stream)}/broadcasts`);
  }

  /** Mark a recording, so that no retention deletes it, or remove the mark. */
  keep(stream, broadcast, kept) {
    return this.#json(kept ? "PUT" : "DELETE", `${recording(stream, broadcast)}/keep`);
  }

  removeRecording(stream, broadcast) {
    return this.#json("DELETE", recording(stream, broadcast));
  }

  /** The events of the current broadcast, or else of the last one, in order. Refused before the first. */
  async events(stream) {
    return (await this.#json("GET", `${path(stream)}/events`)).events;
  }

  create(stream, isPrivate) {
    return this.#json("POST", "/streams", { stream, private: isPrivate });
  }

  /** `settings` has only the settings to change. */
  change(stream, settings) {
    return this.#json("PATCH", path(stream), settings);
  }

  /** A viewer's token that is valid for `seconds`, and the links that contain it. */
  token(stream, seconds) {
    return this.#json("POST", `${path(stream)}/tokens`, { for_s: seconds });
  }

  rotateKey(stream) {
    return this.#json("POST", `${path(stream)}/rotate-key`);
  }

  /** Give the stream a backup key, or a new one. */
  rotateBackupKey(stream) {
    return this.#json("POST", `${path(stream)}/backup-key`);
  }

  removeBackupKey(stream) {
    return this.#json("DELETE", `${path(stream)}/backup-key`);
  }

  /** Put the publisher on standby on air. */
  switchPublisher(stream) {
    return this.#json("POST", `${path(stream)}/switch`);
  }

  kill(stream, banSeconds) {
    return this.#json("POST", `${path(stream)}/kill`, { ban_s: banSeconds });
  }

  remove(stream) {
    return this.#json("DELETE", path(stream));
  }

  /** The latest picture as a Blob, or null if there is none yet. */
  async thumbnail(stream) {
    try {
      return await (await this.#request("GET", `${path(stream)}/thumbnail.jpg`)).blob();
    } catch (error) {
      if (error.status === 404) return null;
      throw error;
    }
  }

  async #json(method, url, body) {
    const response = await this.#request(method, url, body);
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  }

  async #request(method, url, body, signal = AbortSignal.timeout(TIMEOUT_MS)) {
    const headers = { Authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const options = { method, headers, body: JSON.stringify(body), cache: "no-store", signal };
    let response;
    try {
      response = await fetch(`${BASE}api/v1${url}`, options);
    } catch {
      throw new ApiError(0, "unreachable", "The server does not answer.");
    }
    if (!response.ok) {
      const { code, detail } = await readProblem(response);
      throw new ApiError(response.status, code, detail);
    }
    return response;
  }
}

function recording(stream, broadcast) {
  return `${path(stream)}/broadcasts/${encodeURIComponent(broadcast)}`;
}

function path(stream) {
  return `/streams/${encodeURIComponent(stream)}`;
}
