"""Responses with a playlist or manifest: entity tags and compression (RFC 9110, 8.8.3, 12.5.3 and 13.1.2)."""

import gzip
from hashlib import blake2b

from fastapi import Request, Response

from origin.body import SharedBody
from origin.content_coding import accepts_gzip
from storage.sized_cache import SizedCache

MAX_COMPRESSED_BYTES = 16 << 20
COMPRESSION = 5


class Compressor:
    """Compresses each version of a text once, for all requests."""

    def __init__(self) -> None:
        self._compressed: SizedCache[str, bytes] = SizedCache(MAX_COMPRESSED_BYTES)

    def respond(self, request: Request, data: bytes, headers: dict[str, str]) -> Response:
        digest = blake2b(data, digest_size=8).hexdigest()
        gzips = accepts_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{digest}-gzip"' if gzips else f'"{digest}"'
        headers |= {"ETag": etag, "Vary": "Accept-Encoding"}
        if etag_matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        if gzips:
            data = self._compress(digest, data)
            headers["Content-Encoding"] = "gzip"
        return SharedBody(data, headers=headers)

    def _compress(self, digest: str, data: bytes) -> bytes:
        compressed = self._compressed.get(digest)
        if compressed is None:
            compressed = gzip.compress(data, COMPRESSION, mtime=0)
            self._compressed.put(digest, compressed, len(compressed))
        return compressed


def etag_matches(header: str | None, etag: str) -> bool:
    """If-None-Match's weak comparison (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    return header.strip() == "*" or etag in (item.strip().removeprefix("W/") for item in header.split(","))
