// Server-sent events that `fetch` reads (HTML Living Standard, 9.2.6): `EventSource` cannot send a token in a header.

/** Calls `onEvent(name, data)` for each event with JSON, until the connection ends in whatever way. */
export async function readEvents(body, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true }));
    if (done) return;
    text += value;
    const events = text.split(/\r?\n\r?\n/);
    text = events.pop();
    for (const event of events) dispatch(event.split(/\r?\n/), onEvent);
  }
}

function dispatch(lines, onEvent) {
  const fields = { event: "message", data: "" };
  for (const line of lines) {
    const [, name, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (name === "event" || name === "data") fields[name] = value;
  }
  if (fields.data) onEvent(fields.event, JSON.parse(fields.data));
}
