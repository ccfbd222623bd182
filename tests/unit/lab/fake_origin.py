"""A low-latency HLS origin without sockets or a clock: a test makes its parts, and requests wait for them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.lab.viewers.http_reader import Answer
from tests.lab.viewers.lane import Abandoned, LaneError
from tests.lab.waiting import run_until_idle

PARTS = 6
PART_S = 0.333
FIRST_MSN = 10
BASE = "/live/s/b"
TRACKS = ("v720p", "v360p", "a128k")
MASTER = f"{BASE}/master.m3u8"


@dataclass(slots=True)
class Edge:
    """``made`` is how many parts a track has, from the first of :data:`FIRST_MSN` on; ``cuts`` are the numbers of
    parts of segments with an unusual length, by MSN."""

    made: int
    cuts: dict[int, int] = field(default_factory=dict)

    def place(self, number: int) -> tuple[int, int]:
        msn = FIRST_MSN
        while number >= (parts := self.cuts.get(msn, PARTS)):
            number, msn = number - parts, msn + 1
        return msn, number

    def has(self, msn: int, part: int) -> bool:
        """Whether the part exists; a part beyond the last of its segment is the first of the next."""
        if part >= self.cuts.get(msn, PARTS):
            return self.has(msn + 1, 0)
        return (msn, part) < self.place(self.made)


class FakeOrigin:
    """``status`` overrides the status of a path (0 loses the connection), ``hints`` the hint at a position."""

    def __init__(self, *, made: int = 2 * PARTS) -> None:
        self.edges = {track: Edge(made) for track in TRACKS}
        self.requests: Counter[str] = Counter()
        self.status: dict[str, int] = {}
        self.hints: dict[tuple[int, int], str] = {}
        self.ended = False
        self.now = 100.0
        self._changed = asyncio.Event()

    async def make_part(self) -> None:
        """Add a part to every track, and let all waiting requests continue."""
        for edge in self.edges.values():
            edge.made += 1
        self.now += PART_S
        await self._notify()

    async def end(self) -> None:
        self.ended = True
        await self._notify()

    async def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        await run_until_idle()

    async def answer(self, target: str) -> bytes:
        self.requests[target] += 1
        path, _, query = target.partition("?")
        if path == MASTER:
            return master().encode()
        track, name = path.removeprefix(f"{BASE}/").split("/")
        edge = self.edges[track]
        directives = {key: int(values[0]) for key, values in parse_qs(query).items() if values[0].isdigit()}
        if name.endswith(".m4s"):
            msn, part, _ = name.split(".")
            await self._wait(edge, int(msn), int(part))
            return path.encode()
        if name == "media.m3u8":
            if directives:
                await self._wait(edge, directives["_HLS_msn"], directives["_HLS_part"])
            return self.playlist(track, skip="_HLS_skip" in query).encode()
        return b"init"

    async def _wait(self, edge: Edge, msn: int, part: int) -> None:
        while not (edge.has(msn, part) or self.ended):
            await self._changed.wait()

    def playlist(self, track: str, *, skip: bool = False) -> str:
        edge = self.edges[track]
        newest, in_newest = edge.place(edge.made)
        lines = [
            "#EXTM3U",
            "#EXT-X-TARGETDURATION:2",
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,PART-HOLD-BACK=0.999",
            f"#EXT-X-PART-INF:PART-TARGET={PART_S}",
            f"#EXT-X-MEDIA-SEQUENCE:{FIRST_MSN}",
            "#EXT-X-SKIP:SKIPPED-SEGMENTS=1" if skip else '#EXT-X-MAP:URI="init-0.mp4"',
        ]
        for msn in range(FIRST_MSN + skip, newest + 1):
            parts = in_newest if msn == newest else edge.cuts.get(msn, PARTS)
            for part in range(parts):
                independent = ",INDEPENDENT=YES" if part == 0 else ""
                lines.append(f'#EXT-X-PART:DURATION={PART_S},URI="{msn}.{part}.m4s"{independent}')
            if msn < newest:
                lines += ["#EXTINF:2.0,", f"{msn}.m4s"]
        hint = self.hints.get((newest, in_newest), f"{newest}.{in_newest}.m4s")
        lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{hint}"')
        for other in TRACKS:
            if other != track:
                msn, part = self.edges[other].place(self.edges[other].made - 1)
                lines.append(f'#EXT-X-RENDITION-REPORT:URI="../{other}/media.m3u8",LAST-MSN={msn},LAST-PART={part}')
        return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if self.ended else []), ""])


def master() -> str:
    return "\n".join(
        (
            "#EXTM3U",
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Sound",URI="a128k/media.m3u8"',
            '#EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a"',
            "v720p/media.m3u8",
            '#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,AUDIO="a"',
            "v360p/media.m3u8",
            '#EXT-X-STREAM-INF:BANDWIDTH=128000,CODECS="mp4a.40.2",AUDIO="a"',
            "a128k/media.m3u8",
            "",
        )
    )


class FakeLane:
    """A :class:`tests.lab.viewers.lane.Lane` to a :class:`FakeOrigin`."""

    def __init__(self, origin: FakeOrigin) -> None:
        self._origin = origin
        self._asking: asyncio.Task[bytes] | None = None
        self.began = 0.0

    async def get(self, path: str, *, keep: bool) -> Answer:
        status = self._origin.status.get(path.partition("?")[0], 200)
        if status == 0:
            raise LaneError("connection lost")
        self._asking = asyncio.create_task(self._origin.answer(path))
        try:
            body = await asyncio.shield(self._asking)
        except asyncio.CancelledError:
            if self._asking.cancelled():
                raise Abandoned from None
            self._asking.cancel()
            raise
        self.began = self._origin.now
        return Answer(status, body if keep else b"", len(body), True)

    def abandon(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def close(self) -> None:
        self.abandon()
