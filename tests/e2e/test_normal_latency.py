"""`latency = "normal"`: encoders with look-ahead and reordering, and a real ffmpeg as publisher."""

import io
from collections.abc import Iterator

import av
import pytest

from tests.lab.broadcaster import Clip, make_clip, play, publishing
from tests.lab.recordings import tracks
from tests.lab.server import Server, serving
from tests.lab.waiting import until

SECONDS, FPS = 6, 30
STREAM = "reordered"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server after the end of the broadcast."""
    folder = tmp_path_factory.mktemp("normal")
    clip = make_clip(Clip(SECONDS, size="640x480", video_options=(("bf", 0),)), folder / "clip.flv")
    with serving(folder / "data", config='[transcoder]\nlatency = "normal"\n') as server:
        with publishing(clip, server.create(STREAM)) as publisher:
            assert publisher.wait(30) == 0, publisher.stderr
        until(lambda: [each["state"] for each in server.json("broadcasts", STREAM)] == ["ended"])
        yield server


def times(media: bytes) -> list[tuple[int, int]]:
    """The presentation and decoding times of all frames of a video track, in ticks."""
    with av.open(io.BytesIO(media), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    return [(packet.pts, packet.dts) for packet in packets if packet.pts is not None and packet.dts is not None]


def test_renditions_are_reordered_and_keep_the_sources_presentation_times(server: Server) -> None:
    (broadcast,) = server.json("broadcasts", STREAM)
    recorded = tracks(server.data / "store" / "live" / STREAM / broadcast["broadcast"])
    source = times(recorded["vsource"])
    encoded = times(recorded["v360p"])
    assert len(source) == SECONDS * FPS
    assert sorted(pts for pts, _ in encoded) == sorted(pts for pts, _ in source)
    assert any(pts != dts for pts, dts in encoded)
    assert all(0 <= dts <= pts for pts, dts in encoded)


def test_the_recording_plays_completely(server: Server) -> None:
    (broadcast,) = server.json("broadcasts", STREAM)
    played = play(f"{server.http}/live/{STREAM}/{broadcast['broadcast']}/master.m3u8")
    assert played.errors == ""
    assert played.frames == SECONDS * FPS
