"""Publishers, received by the server's side of RTMP."""

import socket
from array import array
from pathlib import Path
from typing import cast

import pytest

from ingest.rtmp import ServerConnection
from ingest.rtmp.events import (
    NEED_DATA,
    PAUSED,
    AudioMessage,
    Event,
    Metadata,
    PublishRequested,
    Signal,
    VideoMessage,
)
from tests.lab.errors import LabError
from tests.lab.rtmp.client import Session
from tests.lab.rtmp.flv import read_tags
from tests.lab.rtmp.loop import Loop, read_loop
from tests.lab.rtmp.publishers import MAX_WAITING, Paced, Sent
from tests.unit.lab.clips import FRAME_MS, FRAMES, LENGTH_MS, SOUND_MS, write_clip

# A picture and its two frames of sound.
EACH = 3


class Wire:
    """A socket connected to a server that accepts at most ``takes`` bytes per send."""

    def __init__(self, refusal: str | None = None) -> None:
        self.server = ServerConnection()
        self.events: list[Event] = []
        self.takes: int | None = None
        self.answer = b""
        self._refusal = refusal

    def sendall(self, data: bytes | memoryview) -> None:
        self.server.receive_data(bytes(data))
        while (event := self.server.next_event()) is not NEED_DATA:
            if event is PAUSED:
                if self._refusal is None:
                    self.server.accept_publish()
                else:
                    self.server.refuse_publish(self._refusal)
                continue
            if not isinstance(event, Signal):
                self.events.append(event)
        self.answer += self.server.data_to_send()

    def send(self, data: memoryview) -> int:
        if self.takes == 0:
            raise BlockingIOError
        taken = data[: self.takes]
        self.sendall(taken)
        return len(taken)

    def recv(self, size: int) -> bytes:
        if not self.answer:
            raise BlockingIOError
        data, self.answer = self.answer[:size], self.answer[size:]
        return data

    def setblocking(self, blocking: bool) -> None:
        assert not blocking


def published() -> Wire:
    wire = Wire()
    Session(cast(socket.socket, wire)).open("live", "rtmp://127.0.0.1/live", "secret")
    return wire


def paced(wire: Wire, loop: Loop, sent: Sent) -> Paced:
    return Paced(0, cast(socket.socket, wire), loop, 100.0, sent)


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return read_loop(write_clip(tmp_path / "clip.flv"))


def pictures(events: list[Event]) -> list[tuple[int, int]]:
    """The times and numbers of the frames."""
    return [(each.timestamp, each.payload[5]) for each in events if isinstance(each, VideoMessage)]


def test_a_session_requests_to_publish() -> None:
    wire = published()
    (request,) = wire.events
    assert isinstance(request, PublishRequested)
    assert (request.app, request.name) == ("live", "secret")


def test_a_refusal_is_reported() -> None:
    wire = Wire(refusal="The stream key is unknown.")
    with pytest.raises(LabError, match="key is unknown"):
        Session(cast(socket.socket, wire)).open("live", "rtmp://127.0.0.1/live", "wrong")


def test_timestamps_continue_when_the_clip_repeats(loop: Loop) -> None:
    wire = published()
    wire.sendall(loop.opening())
    for number in range(2 * len(loop) + 1):
        wire.sendall(loop.at(number))
    events = wire.events[1:]
    metadata, config, sound_config, *media = events
    assert isinstance(metadata, Metadata)
    assert metadata.values == {"width": 1280.0}
    assert isinstance(config, VideoMessage)
    assert config.payload.endswith(b"config")
    assert sound_config == AudioMessage(0, b"\xaf\x00\x11\x90")
    assert pictures(media) == [(tick * FRAME_MS, tick % FRAMES) for tick in range(2 * FRAMES + 1)]
    sound = [each.timestamp for each in media if isinstance(each, AudioMessage)]
    assert sound == [number * SOUND_MS for number in range(2 * 2 * FRAMES)]
    assert [each.timestamp for each in media if isinstance(each, AudioMessage | VideoMessage)] == sorted(
        [*sound, *(time for time, _ in pictures(media))]
    )


def test_timestamps_may_exceed_24_bits(loop: Loop) -> None:
    turns = 0x1000000 // LENGTH_MS + 1
    wire = published()
    wire.sendall(loop.opening())
    for number in range(turns * len(loop), turns * len(loop) + 3 * EACH):
        wire.sendall(loop.at(number))
    assert pictures(wire.events)[1:] == [(turns * LENGTH_MS + FRAME_MS * number, number) for number in range(3)]


def test_messages_are_due_at_their_times(loop: Loop) -> None:
    assert loop.fps == 25.0
    assert [loop.is_picture(number) for number in range(2 * EACH)] == [True, False, False] * 2
    numbers = (0, 1, 2, EACH, len(loop) - 1, len(loop), 3 * len(loop) + 2 * EACH)
    assert [loop.due(number) for number in numbers] == [0.0, 0.0, 0.02, 0.04, 0.38, 0.4, 1.28]


def test_the_chunk_size_is_announced_and_used(tmp_path: Path) -> None:
    loop = read_loop(write_clip(tmp_path / "clip.flv"), 128)
    wire = Wire()
    Session(cast(socket.socket, wire), 128).open("live", "rtmp://127.0.0.1/live", "secret")
    wire.sendall(loop.opening())
    assert len(loop.at(0)) > 9000 + 9000 // 128
    wire.sendall(loop.at(0))
    assert pictures(wire.events)[1:] == [(0, 0)]


def test_bytes_that_a_slow_server_does_not_accept_are_sent_later(loop: Loop) -> None:
    wire, sent = published(), Sent(frames={0: array("d")})
    stream = paced(wire, loop, sent)
    assert stream.due == 100.0
    for takes in (0, 5000, 10, None):
        wire.takes = takes
        for _ in range(EACH):
            stream.send(stream.due + 0.007)
    assert pictures(wire.events)[1:] == [(number * FRAME_MS, number) for number in range(4)]
    assert sent.blocked == 3 * EACH
    assert sent.late_ms == {7: 4 * EACH}
    assert len(sent.frames[0]) == 4
    assert stream.due == 100.0 + 4 * FRAME_MS / 1000


def test_a_server_that_accepts_nothing_loses_the_publisher(loop: Loop) -> None:
    wire, sent = published(), Sent()
    stream = paced(wire, loop, sent)
    wire.takes = 0
    for _ in range(EACH * (MAX_WAITING // 9000 + 1)):
        stream.send(stream.due)
        if sent.lost:
            break
    assert "takes no more data" in sent.lost[0]
    assert stream.due == float("inf")


def test_a_server_that_closes_is_noticed(loop: Loop) -> None:
    wire, sent = published(), Sent()
    wire.recv = lambda size: b""  # type: ignore[method-assign]
    paced(wire, loop, sent).send(100.0)
    assert "closed" in sent.lost[0]


def test_an_invalid_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.flv"
    path.write_bytes(b"RIFF")
    with pytest.raises(LabError, match="not an FLV file"):
        list(read_tags(path))
    write_clip(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LabError, match="cut off"):
        list(read_tags(path))
    with pytest.raises(LabError, match="no pictures"):
        Loop(())
