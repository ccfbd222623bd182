"""Compression and validators of texts (RFC 9110, 8.8.3, 12.5.3, 13.1.2)."""

import gzip

import pytest
from starlette.requests import Request
from starlette.responses import Response

from origin.texts import Compressor, etag_matches


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", W/"a"', True),
        ("*", True),
        ('"b"', False),
        ('"a-gzip"', False),
        ("a", False),
    ],
)
def test_if_none_match(header: str | None, matches: bool) -> None:
    assert etag_matches(header, '"a"') is matches


def request(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "headers": named})


@pytest.fixture
def compressions(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The inputs of gzip."""
    given: list[bytes] = []
    real = gzip.compress

    def compress(data: bytes, level: int = 9, *, mtime: float | None = None) -> bytes:
        given.append(data)
        return real(data, level, mtime=mtime)

    monkeypatch.setattr(gzip, "compress", compress)
    return given


def test_a_version_is_compressed_once(compressions: list[bytes]) -> None:
    compressor, text = Compressor(), b"#EXTM3U\n" * 200
    answers = [compressor.respond(request(accept_encoding="gzip"), text, {}) for _ in range(1000)]
    assert compressions == [text]
    assert {gzip.decompress(bytes(answer.body)) for answer in answers} == {text}
    assert len(answers[0].body) < len(text) // 5
    compressor.respond(request(accept_encoding="gzip"), text + b"x", {})
    assert len(compressions) == 2


def test_a_304_needs_no_compression(compressions: list[bytes]) -> None:
    compressor, text = Compressor(), b"#EXTM3U\n"
    tag = compressor.respond(request(accept_encoding="gzip"), text, {}).headers["etag"]
    again = compressor.respond(request(accept_encoding="gzip", if_none_match=tag), b"#EXTM3U\n", {})
    assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", tag)
    assert len(compressions) == 1


def test_each_encoding_has_its_own_tag() -> None:
    """An entity tag identifies one sequence of bytes; caches distinguish the encodings by Vary alone."""
    compressor, text = Compressor(), b"#EXTM3U\n"
    plain = compressor.respond(request(), text, {})
    zipped = compressor.respond(request(accept_encoding="gzip"), text, {})
    assert plain.body == text and "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert plain.headers["etag"] != zipped.headers["etag"]
    assert {answer.headers["vary"] for answer in (plain, zipped)} == {"Accept-Encoding"}
    crossed: Response = compressor.respond(request(if_none_match=zipped.headers["etag"]), text, {})
    assert crossed.status_code == 200 and crossed.body == text


def test_compressed_texts_are_bounded(compressions: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("origin.texts.MAX_COMPRESSED_BYTES", 200)
    compressor = Compressor()
    for number in range(10):
        compressor.respond(request(accept_encoding="gzip"), str(number).encode(), {})
    assert 100 < compressor._compressed.bytes <= 200
    compressor.respond(request(accept_encoding="gzip"), b"9", {})
    assert len(compressions) == 10
    compressor.respond(request(accept_encoding="gzip"), b"0", {})
    assert len(compressions) == 11
