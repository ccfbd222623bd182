from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.viewers.http_reader import Answer, BadResponse, ResponseReader

SIZED = b"HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = (
    b"HTTP/1.1 404 No\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n"
    b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n"
)
EMPTY = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"
ANSWERS = {
    SIZED: Answer(200, b"hello world", 11, True),
    CHUNKED: Answer(404, b"hello world", 11, False),
    EMPTY: Answer(304, b"", 0, True),
}


def read(reader: ResponseReader, wire: bytes, cuts: list[int], *, keep: bool = True) -> Answer | None:
    reader.expect(keep=keep)
    places = [0, *sorted(cut % len(wire) for cut in cuts), len(wire)]
    answers = [reader.feed(wire[a:b]) for a, b in pairwise(places) if a < b]
    assert answers[:-1] == [None] * (len(answers) - 1)
    return answers[-1]


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(sorted(ANSWERS)), st.lists(st.integers(0, 500), max_size=8)), max_size=3))
def test_answers_are_the_same_however_they_are_split(wires: list[tuple[bytes, list[int]]]) -> None:
    reader = ResponseReader()
    for wire, cuts in wires:
        assert read(reader, wire, cuts) == ANSWERS[wire]


@pytest.mark.parametrize("wire", [SIZED, CHUNKED])
def test_a_body_may_be_counted_only(wire: bytes) -> None:
    answer = read(ResponseReader(), wire, [], keep=False)
    assert answer is not None
    assert (answer.body, answer.size) == (b"", 11)


def test_begun_is_true_from_the_first_byte() -> None:
    reader = ResponseReader()
    reader.expect(keep=False)
    assert not reader.begun
    reader.feed(SIZED[:3])
    assert reader.begun


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        SIZED + b"!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000,
    ],
)
def test_an_invalid_response_is_refused(wire: bytes) -> None:
    with pytest.raises(BadResponse):
        read(ResponseReader(), wire, [])


@settings(max_examples=60)
@given(st.binary(max_size=60), st.sampled_from([b"", CHUNKED[:70], SIZED[:20], CHUNKED[:-20]]))
def test_only_the_declared_error_is_raised(noise: bytes, before: bytes) -> None:
    reader = ResponseReader()
    reader.expect(keep=True)
    with suppress(BadResponse):
        reader.feed(before + noise)
