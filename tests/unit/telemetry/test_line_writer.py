"""Lines reach a descriptor that takes them; others are counted, and hold nobody up."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from telemetry.line_writer import LineWriter
from tests.lab.waiting import until

PIPE_SIZE = 4096


@dataclass(frozen=True, slots=True)
class Pipe:
    reading: int
    writing: int

    def fill(self) -> None:
        """Until it takes no byte more."""
        os.set_blocking(self.writing, False)
        with pytest.raises(BlockingIOError):
            while True:
                os.write(self.writing, b"." * PIPE_SIZE)

    def read(self) -> bytes:
        return os.read(self.reading, 1 << 20)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe(*os.pipe())
    fcntl.fcntl(pipe.writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    yield pipe
    os.close(pipe.reading)
    os.close(pipe.writing)


def test_lines_are_written_in_order_until_the_end(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        writer = LineWriter(file.fileno())
        for number in range(1000):
            writer.write(f"line {number} \udc80\n")
        writer.close()
        writer.write("too late\n")
    assert (tmp_path / "log").read_text() == "".join(f"line {number} \\udc80\n" for number in range(1000))
    assert writer.lost == 1


def test_a_full_disk_loses_each_line() -> None:
    with open("/dev/full", "wb") as full:
        writer = LineWriter(full.fileno())
        for _ in range(10):
            writer.write("line\n")
        writer.close()
    assert writer.lost == 10


def test_a_line_after_the_trouble_is_written(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file, open("/dev/full", "wb") as full:
        descriptor = os.dup(full.fileno())
        writer = LineWriter(descriptor)
        writer.write("lost\n")
        until(lambda: writer.lost == 1, every=0.01)
        os.dup2(file.fileno(), descriptor)
        writer.write("kept\n")
        writer.close()
        os.close(descriptor)
    assert (tmp_path / "log").read_text() == "kept\n"


def test_a_closed_descriptor_loses_each_line(pipe: Pipe) -> None:
    descriptor = os.dup(pipe.writing)
    os.close(descriptor)
    writer = LineWriter(descriptor)
    writer.write("line\n")
    writer.close()
    assert writer.lost == 1


@pytest.mark.parametrize("blocking", [True, False])
def test_a_pipe_that_nobody_reads_holds_up_neither_writing_nor_the_end(pipe: Pipe, blocking: bool) -> None:
    pipe.fill()
    os.set_blocking(pipe.writing, blocking)
    writer = LineWriter(pipe.writing, max_bytes=100)
    for _ in range(30):
        writer.write("123456789\n")
    assert writer.lost == 20
    writer.close(timeout=0.01)
    pipe.read()
    written = b""
    while len(written) < 100:
        written += pipe.read()
    assert written == b"123456789\n" * 10


def test_a_line_after_half_a_line_begins_on_its_own(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    descriptor = os.dup(pipe.writing)
    writer = LineWriter(descriptor)
    writer.write("x" * 2 * PIPE_SIZE + "\n")
    until(lambda: len(os.read(pipe.reading, 1)) == 1)
    with open("/dev/full", "wb") as full:
        os.dup2(full.fileno(), descriptor)
        until(lambda: writer.lost == 1)
    assert pipe.read().endswith(b"x")
    os.dup2(pipe.writing, descriptor)
    writer.write("line\n")
    writer.close()
    os.close(descriptor)
    assert pipe.read() == b"\nline\n"
