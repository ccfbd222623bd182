"""The pages' static files, read once at start. Their URLs contain a digest and are immutable.

The path contains the digest before the file's name (``/static/{digest}/js/watch/main.js``). Relative imports
between modules therefore stay within one version of the tree, and caches may keep each file for a year.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
COMPRESSED = (".css", ".html", ".js", ".mjs", ".svg", ".txt")
DIGEST_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file to be served. ``compressed`` is the body in gzip, or None if that is not smaller. ``etag`` is weak,
    because both bodies have the same one (RFC 9110, 8.8.3.3)."""

    body: bytes
    compressed: bytes | None
    content_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class AssetTree:
    """Every file of a directory, by its path relative to it, with ``/`` as the separator."""

    digest: str
    assets: dict[str, Asset]


def make_asset(body: bytes, suffix: str) -> Asset:
    """``suffix`` is the suffix of the file's name, with the dot."""
    compressed = gzip.compress(body, compresslevel=6, mtime=0) if suffix in COMPRESSED else body
    return Asset(
        body=body,
        compressed=compressed if len(compressed) < len(body) else None,
        content_type=CONTENT_TYPES[suffix],
        etag=f'W/"{hashlib.sha256(body).hexdigest()[:24]}"',
    )


def load_tree(directory: Path) -> AssetTree:
    """Read all files of ``directory`` whose suffix is in :data:`CONTENT_TYPES`."""
    digest = hashlib.sha256()
    assets: dict[str, Asset] = {}
    for path in sorted(path for path in directory.rglob("*") if path.suffix in CONTENT_TYPES):
        name = path.relative_to(directory).as_posix()
        body = path.read_bytes()
        digest.update(f"{name}\0{len(body)}\0".encode())
        digest.update(body)
        assets[name] = make_asset(body, path.suffix)
    return AssetTree(digest.hexdigest()[:DIGEST_LENGTH], assets)
