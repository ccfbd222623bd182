"""Records playback in the page."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.lab.browser import wait_for
from tests.lab.glass.strip import READ, SINCE

TICK_MS = 50
# A picture that does not move for this long has stalled, whatever the media element reports: Chromium continues the
# sound.
STUCK_S = 0.4

# Times are seconds since the page was opened. A sample has the fields of Sample, in that order.
RECORDER = f"""() => {{
  const read = {READ};
  const since = {SINCE};
  const video = document.getElementById("video");
  const seconds = () => performance.now() / 1000;
  const record = {{ started: null, samples: [], stalls: [], seeks: [] }};
  window.record = record;
  let glass = null, moved = null, position = 0, frame = 0, frames = 0, waiting = false, stall = null;
  const shown = (now, {{ expectedDisplayTime }}) => {{
    const value = read(video);
    const at = Date.now() + Math.max(0, expectedDisplayTime - performance.now());
    glass = value === null ? null : since(value, at) / 1000;
    frames += 1;
    video.requestVideoFrameCallback(shown);
  }};
  video.requestVideoFrameCallback(shown);
  video.addEventListener("playing", () => (record.started = seconds()), {{ once: true }});
  video.addEventListener("waiting", () => (waiting = record.started !== null));
  video.addEventListener("seeking", () => record.seeks.push([seconds(), position, video.currentTime]));
  setInterval(() => {{
    const at = seconds();
    const moves = Math.abs(video.currentTime - position) > 0.001;
    position = video.currentTime;
    if (moves && frames > frame) {{
      if (stall) stall.length = at - stall.at;
      waiting = stall = null;
      moved = record.started && at;
      frame = frames;
    }} else if (moved !== null && !video.paused && !stall && (waiting || at - moved > {STUCK_S})) {{
      stall = {{ at: moved, length: null, position }};
      record.stalls.push(stall);
    }}
    const {{ latency, targetLatency, buffered }} = window.headwater;
    record.samples.push(
      [at, position, video.playbackRate, video.videoHeight, latency, targetLatency, buffered, glass]);
  }}, {TICK_MS});
}}"""

# Whether the newest sample has this height.
LAST_HEIGHT = "height => window.record.samples.at(-1)?.[3] === height"
# A player first plays what it has buffered, and on a busy machine it measures the network badly.
ADAPTS_WITHIN_MS = 60_000


def wait_for_height(page: Page, height: int) -> None:
    """Wait until the player shows the rendition with this height."""
    wait_for(page, LAST_HEIGHT, height, timeout_ms=ADAPTS_WITHIN_MS)


@dataclass(frozen=True, slots=True)
class Sample:
    """The page at one moment. Times are in seconds: the player reports ``latency`` and ``target``, the burnt-in
    clock gives ``glass``; each is None if unknown. ``height`` is 0 before the first picture."""

    at: float
    position: float
    rate: float
    height: int
    latency: float | None
    target: float | None
    buffered: float
    glass: float | None


@dataclass(frozen=True, slots=True)
class Stall:
    """The picture stopped at ``position`` at the time ``at``; ``length`` is None if it did not move again."""

    at: float
    length: float | None
    position: float


@dataclass(frozen=True, slots=True)
class Record:
    """``started`` is when playback began; a picture may be shown earlier."""

    started: float
    samples: tuple[Sample, ...]
    stalls: tuple[Stall, ...]
    complaints: tuple[str, ...]


def read_record(collected: dict[str, Any], complaints: list[str]) -> Record:
    """``collected`` is the page's ``window.record``."""
    return Record(
        collected["started"],
        tuple(Sample(*sample) for sample in collected["samples"]),
        tuple(Stall(**stall) for stall in collected["stalls"]),
        tuple(complaints),
    )
