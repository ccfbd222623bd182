"""Publishing with a real ffmpeg: its digest handshake, its chunk sizes, its media, and how it shows a refusal."""

import asyncio
import socket
from itertools import pairwise

import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest

from ingest import EndReason, IngestServer, PublisherLink, PublishRefused, PublishRequest
from media.units import Kind
from tests.unit.ingest.samples import Recorder

SOURCE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-bf", "2"]


class Handler:
    def __init__(self) -> None:
        self.recorder = Recorder()

    async def authorize(self, request: PublishRequest, link: PublisherLink) -> Recorder:
        if request.key != "good":
            raise PublishRefused("That stream key is not known")
        return self.recorder


async def run_ffmpeg(port: int, key: str, *codecs: str, seconds: str = "2") -> tuple[int, str]:
    """Run ffmpeg; return its exit status and its standard error."""
    url = f"rtmp://127.0.0.1:{port}/live/{key}"
    process = await asyncio.create_subprocess_exec(
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-nostdin", "-v", "error", *SOURCE, "-t", seconds, *codecs, "-f", "flv", url),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    return process.returncode or 0, errors.decode()


async def publish(key: str, *codecs: str) -> tuple[Recorder, list[str], int, str]:
    handler, refused = Handler(), list[str]()
    server = IngestServer(handler, on_refused=refused.append)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    try:
        await server.start(listener, backlog=1)
        status, errors = await run_ffmpeg(port, key, *codecs)
    finally:
        await server.close()
    return handler.recorder, refused, status, errors


async def test_h264_and_aac() -> None:
    recorder, refused, status, _ = await publish("good", *H264, "-c:a", "aac")
    assert (status, refused) == (0, [])
    assert recorder.all("video-config") == [(320, 180)]
    assert recorder.all("audio-config") == [("aac", 48000)]
    assert recorder.all("end") == [EndReason.UNPUBLISHED]
    assert recorder.all("dropped") == []
    video = [unit for unit in recorder.units if unit.kind is Kind.VIDEO]
    audio = [unit for unit in recorder.units if unit.kind is Kind.AUDIO]
    assert [number for number, unit in enumerate(video) if unit.key] == [0, 30]
    assert len(video) == 60
    assert any(unit.cts for unit in video)
    assert all(abs(unit.pts / 90 - round(unit.pts / 3000) * 1000 / 30) < 2 for unit in video)
    assert {after.dts - before.dts for before, after in pairwise(audio)} == {1024}


async def test_mp3() -> None:
    recorder, refused, status, _ = await publish("good", "-map", "1:a", "-c:a", "libmp3lame")
    assert (status, refused) == (0, [])
    assert recorder.all("audio-config") == [("mp3", 48000)]
    assert {unit.kind for unit in recorder.units} == {Kind.AUDIO}


@pytest.mark.parametrize(
    "codecs",
    [[*H264, "-c:a", "libopus"], ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"]],
)
async def test_unsupported_codec_ends_the_publication(codecs: list[str]) -> None:
    recorder, refused, _, _ = await publish("good", *codecs)
    assert refused == ["unsupported-codec"]
    assert recorder.all("end") == [EndReason.PROTOCOL_ERROR]


async def test_refusal_text_is_shown_by_ffmpeg() -> None:
    recorder, refused, status, errors = await publish("wrong", *H264, "-c:a", "aac")
    assert status != 0
    assert "Server error: That stream key is not known" in errors
    assert refused == ["publish-refused"]
    assert recorder.calls == []
