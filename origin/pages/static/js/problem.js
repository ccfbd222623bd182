// The server's refusals: problem documents (RFC 9457).

/** The answer's problem as `{code, detail}`; from its status alone if a proxy in between sent a page of its own. */
export async function readProblem(response) {
  const problem = await response.json().catch(() => ({}));
  const detail = problem.detail ?? problem.title ?? `the server answered ${response.status}`;
  return { code: problem.code ?? "error", detail: sentence(String(detail)) };
}

function sentence(text) {
  const capitalized = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capitalized) ? capitalized : `${capitalized}.`;
}
