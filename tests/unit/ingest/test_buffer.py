from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtmp.buffer import READ_SIZE, SMALL_READ_SIZE, ReceiveBuffer


def test_buffer_starts_small_and_grows_once_for_a_publisher() -> None:
    buffer = ReceiveBuffer()
    assert len(buffer.writable(SMALL_READ_SIZE)) == len(buffer.data) == SMALL_READ_SIZE
    assert len(buffer.writable(READ_SIZE // 2)) == len(buffer.data) == 2 * READ_SIZE


def test_read_bytes_make_room_without_growth() -> None:
    buffer = ReceiveBuffer()
    buffer.append(bytes(2 * READ_SIZE))
    size = len(buffer.data)
    for _ in range(10):
        buffer.take(READ_SIZE)
        buffer.append(bytes(READ_SIZE))
    assert len(buffer.data) == size


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=9000) | st.integers(0, 9000), max_size=30))
def test_bytes_are_read_as_written(steps: list[bytes | int]) -> None:
    buffer, written, read = ReceiveBuffer(), b"", b""
    for step in steps:
        if isinstance(step, bytes):
            view = buffer.writable(max(len(step), 1))
            view[: len(step)] = step
            buffer.written(len(step))
            written += step
        else:
            read += buffer.take(min(step, len(buffer)))
    read += buffer.take(len(buffer))
    assert read == written
