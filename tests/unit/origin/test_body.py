"""Bodies that responses share: no copies, bounded pieces."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Request
from starlette.responses import Response

from origin.answers import ranged
from origin.body import PIECE, SharedBody
from origin.texts import Compressor

SEGMENT = bytes(range(256)) * 4096 * 6


def request(**headers: str) -> Request:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": pairs})


async def sent(response: Response) -> tuple[int, list[Any]]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        raise AssertionError("the response reads nothing")

    await response({"type": "http", "method": "GET"}, receive, send)
    assert [message.get("more_body", False) for message in messages[1:]] == [True] * (len(messages) - 2) + [False]
    return messages[0]["status"], [message["body"] for message in messages[1:]]


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
async def test_a_body_is_sent_in_bounded_pieces(size: int) -> None:
    data = bytes(size)
    response = SharedBody(data)
    status, bodies = await sent(response)
    assert (status, b"".join(bodies), response.headers["content-length"]) == (200, data, str(size))
    assert all(len(body) <= PIECE for body in bodies)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda: ranged(request(range="bytes=1-"), SEGMENT, '"e"', {}), SEGMENT[1:]),
        (lambda: ranged(request(range="bytes=5-9"), SEGMENT, '"e"', {}), SEGMENT[5:10]),
        (lambda: ranged(request(), SEGMENT, '"e"', {}), SEGMENT),
        (lambda: Compressor().respond(request(), SEGMENT, {}), SEGMENT),
    ],
)
async def test_no_answer_copies_the_segment(answer: Callable[[], Response], expected: bytes) -> None:
    answer()
    tracemalloc.start()
    try:
        responses = [answer() for _ in range(50)]
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
    finally:
        tracemalloc.stop()
    _, bodies = await sent(responses[0])
    assert b"".join(bodies) == expected
