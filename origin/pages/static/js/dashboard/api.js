// The REST API under /api/v1, called with the operator's token.

/** A request that the server refused or could not fulfil. `status` is 0 if it did not answer; the message is for people. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class Api {
  #token;

  constructor(token) {
    this.#token = token;
  }

  streams() {
    return this.#json("GET", "/streams");
  }

  history(stream) {
    return this.#json("GET", `${path(stream)}/history`);
  }

  broadcasts(stream) {
    return this.#json("GET", `${path(stream)}/broadcasts`);
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

  async #request(method, url, body) {
    const headers = { Authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(`/api/v1${url}`, { method, headers, body: JSON.stringify(body), cache: "no-store" });
    } catch {
      throw new ApiError(0, "unreachable", "The server does not answer.");
    }
    if (!response.ok) throw await toError(response);
    return response;
  }
}

function path(stream) {
  return `/streams/${encodeURIComponent(stream)}`;
}

/** From the problem document (RFC 9457), or only from the status if a proxy in between sent its own error page. */
async function toError(response) {
  const problem = await response.json().catch(() => ({}));
  const detail = problem.detail ?? problem.title ?? `The server answered ${response.status}.`;
  return new ApiError(response.status, problem.code ?? "error", sentence(String(detail)));
}

function sentence(text) {
  const capitalized = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capitalized) ? capitalized : `${capitalized}.`;
}
