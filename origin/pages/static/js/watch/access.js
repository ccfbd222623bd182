// Whether the server admits this viewer to a private stream.

import { BASE } from "../base.js";
import { readProblem } from "../problem.js";

/**
 * The server's refusal of `token` for `stream` as `{code, detail}`; null if it admits the viewer, or does not answer. The
 * stream's own playlist is refused even while the stream is offline.
 */
export async function refusalOf(stream, token) {
  const query = token ? `?token=${encodeURIComponent(token)}` : "";
  const url = `${BASE}live/${encodeURIComponent(stream)}/master.m3u8${query}`;
  try {
    // An admitted viewer is redirected, and the target need not be fetched.
    const response = await fetch(url, { redirect: "manual", cache: "no-store" });
    return response.status === 403 ? await readProblem(response) : null;
  } catch {
    return null;
  }
}
