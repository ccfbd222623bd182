"""Measures from a broadcast's first frame to the first playlist that a player can start from."""

import re
import tempfile
import threading
import time
import urllib.error
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from tests.lab.errors import LabError
from tests.lab.rtmp.publishers import publishing
from tests.lab.server import serving
from tests.lab.viewers.on_air import read

STREAM = "startup"
LOOK_EVERY_S, PATIENCE_S = 0.02, 30.0
SETTINGS = {"HEADWATER_TRANSCODER__LADDER": "source"}
LOW_LATENCY, STANDARD = "low latency", "standard"
MODES = {LOW_LATENCY: "true", STANDARD: "false"}
HLS, DASH = "HLS", "DASH"

# Something that a player can fetch: a segment (listed, or numbered in an existing Period), or a part of one.
HLS_MEDIA = re.compile(r"^#EXT(INF:|-X-PART:)", re.MULTILINE)
DASH_MEDIA = re.compile(r"<S [^>]*d=|<SegmentTemplate [^>]*\bduration=")
VARIANT = re.compile(r"^#EXT-X-STREAM-INF:.*\n(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class First:
    """Seconds from sending the first frame to the first playlist of each kind."""

    playable: Mapping[str, float]

    def __str__(self) -> str:
        return ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in self.playable.items())


def measure(mode: str, clip: Path, number: int) -> First:
    """Raises LabError."""
    settings = {**SETTINGS, "HEADWATER_PACKAGER__LOW_LATENCY": MODES[mode]}
    finders: dict[str, Callable[[str], str | None]] = {HLS: playable_hls, DASH: playable_dash}
    with (
        tempfile.TemporaryDirectory(prefix="headwater-startup-") as directory,
        serving(Path(directory) / "data", environment=settings) as server,
        ThreadPoolExecutor(len(finders)) as threads,
    ):
        ending = threading.Event()
        live = f"{server.http}/live/{STREAM}"
        found = {name: threads.submit(_wait, finder, live, ending) for name, finder in finders.items()}
        try:
            with publishing(clip, (server.create(STREAM),), watch=(0,), spread_s=0) as publishers:
                moments = {name: future.result(PATIENCE_S) for name, future in found.items()}
                sent = publishers.finish()
        except TimeoutError:
            raise LabError(f"there was nothing to play after {PATIENCE_S:g} s ({mode})") from None
        finally:
            ending.set()
    return First({name: moment - sent.frames[0][0] for name, moment in moments.items()})


def playable_hls(live: str) -> str | None:
    """A media playlist with something to fetch; None if absent so far."""
    master = _get(f"{live}/master.m3u8")
    variant = VARIANT.search(master) if master else None
    media = _get(urljoin(f"{live}/", variant[1])) if variant else None
    return media if media and HLS_MEDIA.search(media) else None


def playable_dash(live: str) -> str | None:
    manifest = _get(f"{live}/manifest.mpd")
    return manifest if manifest and DASH_MEDIA.search(manifest) else None


def _wait(find: Callable[[str], str | None], live: str, ending: threading.Event) -> float:
    """The Unix time at which ``find`` first succeeded."""
    while find(live) is None:
        if ending.wait(LOOK_EVERY_S):
            raise LabError("nothing was playable")
    return time.time()


def _get(url: str) -> str | None:
    """The body; None if the path does not exist yet."""
    try:
        return read(url, "").decode()
    except urllib.error.HTTPError:
        return None
