// The REST API under /api/v1, called with the operator's token.

/** What the server refused or could not do. `status` is 0 where it did not answer; the message is for a person. */
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

  /** `settings` are those to change. */
  change(stream, settings) {
    return this.#json("PATCH", path(stream), settings);
  }

  /** A viewer's token that holds for so many seconds, by itself and in links. */
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

  /** The newest picture as a Blob, or null where there is none yet. */
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
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

function path(stream) {
  return `/streams/${encodeURIComponent(stream)}`;
}

/** RFC 9457 where the server speaks it; a proxy's own error page is named by its status. */
async function problemOf(response) {
  const problem = await response.json().catch(() => ({}));
  const detail = problem.detail ?? problem.title ?? `The server answered ${response.status}.`;
  return new ApiError(response.status, problem.code ?? "error", sentence(String(detail)));
}

function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
