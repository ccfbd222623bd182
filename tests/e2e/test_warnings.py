"""What a real ffmpeg sends, or does not send, and what the operator reads about it. All publish at once."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import m3u8
import pytest

from tests.lab.broadcaster import Clip, make_clip, play, publishing
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.recordings import tracks
from tests.lab.server import Server, serving
from tests.lab.waiting import until

SECONDS = 14
SOURCES = {
    "whole": Clip(SECONDS, size="320x180"),
    "no-more-keyframes": Clip(
        SECONDS, size="320x180", video_options=(("x264-params", "intra-refresh=1:keyint=60"),)
    ),
    "four-two-two": Clip(SECONDS, size="320x180", video_options=(("pix_fmt", "yuv422p"),)),
    "interlaced": Clip(SECONDS, size="320x180", video_options=(("flags", "+ilme+ildct"),)),
}
WORDS = {
    "no-more-keyframes": ("keyframe-interval", "set Keyframe Interval to 2 s in OBS"),
    "four-two-two": ("picture-format", "4:2:2 with 8 bits"),
    "interlaced": ("interlaced", "set the encoder to progressive"),
    "two-tracks": ("unsupported-track", "a second audio or video track is ignored"),
    "ten-of-thirty": ("frames-missing", "10 of 30 frames per second arrive"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """``warned`` has the warnings by stream, as the operator read them while the streams were live."""

    server: Server
    warned: dict[str, dict[str, str]]

    def folder(self, stream: str) -> Path:
        (folder,) = (self.server.data / "store" / "live" / stream).glob("2*")
        return folder


def two_tracks(url: str) -> list[str]:
    """A second video track in HEVC and a second audio track, as multitrack messages of Enhanced RTMP."""
    return [
        *(ffmpeg_path(), "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"),
        *("-re", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", str(SECONDS)),
        *("-map", "0:v", "-map", "0:v", "-map", "1:a", "-map", "1:a", "-pix_fmt", "yuv420p", "-g", "60"),
        *("-c:v:0", "libx264", "-preset", "ultrafast", "-c:v:1", "libx265", "-x265-params", "log-level=none"),
        *("-c:a", "aac", "-f", "flv", url),
    ]


def ten_of_thirty(clip: Path, url: str) -> list[str]:
    """Two of three frames are dropped after encoding; onMetaData declares all 30."""
    return [
        *(ffmpeg_path(), "-loglevel", "error", "-re", "-i", str(clip), "-c", "copy"),
        *("-bsf:v", "noise=drop=not(key)*mod(n\\,3)", "-f", "flv", url),
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("warnings")
    clips = {name: make_clip(clip, folder / f"{name}.flv") for name, clip in SOURCES.items()}
    with serving(folder / "data") as server, ExitStack() as stack:
        urls = {name: server.create(name) for name in {*SOURCES, *WORDS}}
        for name, clip in clips.items():
            stack.enter_context(publishing(clip, urls[name]))
        for command in (
            two_tracks(urls["two-tracks"]),
            ten_of_thirty(clips["whole"], urls["ten-of-thirty"]),
        ):
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
        warned: dict[str, dict[str, str]] = {}

        def read() -> bool:
            token = (server.data / "api-token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}"}
            for status in httpx.get(f"{server.http}/api/v1/streams", headers=headers).json():
                for warning in status["warnings"]:
                    warned.setdefault(status["stream"], {})[warning["code"]] = warning["text"]
            return all(code in warned.get(stream, {}) for stream, (code, _) in WORDS.items())

        until(read, timeout=SECONDS)
        until(
            lambda: all(
                [each["state"] for each in server.json("broadcasts", stream)] == ["ended"]
                for stream in ("whole", "no-more-keyframes", "four-two-two")
            ),
            timeout=60,
        )
        yield Run(server, warned)


@pytest.mark.parametrize("stream", WORDS)
def test_what_is_missing_is_a_warning_with_what_to_change(run: Run, stream: str) -> None:
    code, words = WORDS[stream]
    assert set(run.warned[stream]) == {code}
    assert words in run.warned[stream][code]
    assert "OBS" in run.warned[stream][code]


def test_a_stream_that_arrives_whole_has_no_warning(run: Run) -> None:
    assert "whole" not in run.warned


def test_after_six_seconds_without_a_keyframe_the_top_rendition_is_encoded(run: Run) -> None:
    """Nothing is missing at the change, and every segment but the first begins with a keyframe of the encoder."""
    listed = m3u8.loads((run.folder("no-more-keyframes") / "vsource" / "recording.m3u8").read_text())
    durations = [segment.duration or 0.0 for segment in listed.segments]
    assert durations[0] == pytest.approx(6, abs=0.1)
    assert durations[1:-1] == pytest.approx([2] * len(durations[1:-1]), abs=0.15)
    assert sum(durations) == pytest.approx(SECONDS, abs=0.1)
    assert [bool(segment.discontinuity) for segment in listed.segments].index(True) == 1
    assert not any(segment.gap_tag for segment in listed.segments)
    played = play(f"{run.server.http}/live/no-more-keyframes/master.m3u8")
    assert played.frames == pytest.approx(SECONDS * 30, abs=2)


def test_four_two_two_is_encoded_as_what_all_players_show(run: Run) -> None:
    master = httpx.get(f"{run.server.http}/live/four-two-two/master.m3u8").text
    assert 'CODECS="avc1.64' in master
    assert set(tracks(run.folder("four-two-two"))) == {"asource", "vsource"}
    assert play(f"{run.server.http}/live/four-two-two/master.m3u8").errors == ""
