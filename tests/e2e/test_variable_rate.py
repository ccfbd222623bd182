"""A source with a variable frame rate, from a real server: 25 pictures a second in a stream that declares 30, with
intervals of 33 and 67 ms, as phones and screen capture send. A strict client follows every rendition in low-latency
HLS, and the low-latency MPD is compared with the media."""

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from xml.etree import ElementTree

import httpx
import pytest

from tests.e2e.strict_client import Rendition, follow, parts_of
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.fragments import read_fragments
from tests.lab.server import Server, serving

SECONDS = 16
PART_TARGET_US = 333_334
# Every sixth picture of the grid is missing; a segment lasts 2.04 s on average.
VARIABLE = (("vf", "select=mod(n\\,6)"), ("fps_mode", "vfr"), ("bf", 0), ("tune", "zerolatency"))
TRACKS = {"vsource", "v360p", "asource"}
MPD = "{urn:mpeg:dash:schema:mpd:2011}"


class Watched:
    """What a strict client received, and every MPD on the way."""

    def __init__(self, renditions: dict[str, Rendition], manifests: list[str]) -> None:
        self.renditions = renditions
        self.manifests = manifests


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("variable-rate")
    clip = make_clip(Clip(SECONDS, size="854x480", gop=51, video_options=VARIABLE), folder / "variable.flv")
    with serving(folder / "data") as server:
        url = server.create("alpha")
        with publishing(clip, url) as publisher:
            yield asyncio.run(watch(server))
            assert publisher.wait(30) == 0


async def watch(server: Server) -> Watched:
    manifests: list[str] = []
    async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=64)) as client:
        following = asyncio.create_task(follow(client, f"{server.http}/live/alpha/master.m3u8"))
        while not following.done():
            await asyncio.wait({following}, timeout=1)
            answer = await client.get(f"{server.http}/live/alpha/manifest.mpd")
            if answer.status_code == 200:
                manifests.append(answer.text)
        return Watched(await following, manifests)


@pytest.mark.parametrize("track", sorted(TRACKS))
def test_parts_keep_their_promise(watched: Watched, track: str) -> None:
    rendition = watched.renditions[track]
    assert rendition.joined is not None and rendition.joined.part_target_us == PART_TARGET_US
    parts = {place: part for reload in rendition.reloads for place, part in parts_of(reload.playlist).items()}
    assert len(parts) > 20
    for (msn, index), part in parts.items():
        assert part.duration_us <= PART_TARGET_US
        if (msn, index + 2) in parts:
            assert part.duration_us >= 0.85 * PART_TARGET_US


@pytest.mark.parametrize("track", sorted(TRACKS))
def test_every_hint_gets_media(watched: Watched, track: str) -> None:
    """A hint names the next part, or a part that the next one answers."""
    rendition = watched.renditions[track]
    last = max(rendition.parts)
    assert all(fetch.status == 200 for place, fetch in rendition.hints.items() if place <= last)
    assert all(fetch.status == 200 for fetch in rendition.parts.values())


def test_durations_are_those_of_the_media(watched: Watched) -> None:
    """The EXTINF of all renditions add up to the same time, and the video is cut at the same frames."""
    lengths = {}
    for track in TRACKS:
        last = watched.renditions[track].last
        assert last is not None and last.ended
        lengths[track] = [segment.duration_us for segment in last.segments]
        assert sum(lengths[track]) == pytest.approx(SECONDS * 1_000_000, abs=120_000)
    assert lengths["vsource"] == pytest.approx(lengths["v360p"], abs=1000)


def test_the_manifests_times_are_those_of_the_segments(watched: Watched) -> None:
    """While live, a segment's time follows from its number within 125 ms, in one Period."""
    live = [ElementTree.fromstring(text) for text in watched.manifests if 'type="dynamic"' in text]
    assert len(live) > 5
    checked = 0
    for root in live:
        (period,) = root.iter(f"{MPD}Period")
        for template, tracks in templates(period):
            scale = int(template.attrib["timescale"])
            assert "duration" in template.attrib, "a source whose keyframes are regular keeps its low latency"
            first, spacing = int(template.attrib["startNumber"]), Fraction(template.attrib["duration"]) / scale
            start = Fraction(template.attrib.get("presentationTimeOffset", "0")) / scale
            for track in tracks:
                for msn, data in watched.renditions[track].segments.items():
                    if msn >= first and data:
                        media_scale = 48_000 if track == "asource" else 90_000
                        at = Fraction(read_fragments(data)[0].samples[0].pts, media_scale)
                        assert abs(start + (msn - first) * spacing - at) <= Fraction(1, 8) + Fraction(1, 40)
                        checked += 1
    assert checked > 50


def templates(period: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, list[str]]]:
    """Each SegmentTemplate with the tracks that use it."""
    for adaptation_set in period.iter(f"{MPD}AdaptationSet"):
        shared = adaptation_set.find(f"{MPD}SegmentTemplate")
        for representation in adaptation_set.iter(f"{MPD}Representation"):
            own = representation.find(f"{MPD}SegmentTemplate")
            template = own if own is not None else shared
            assert template is not None
            yield template, [representation.attrib["id"]]
