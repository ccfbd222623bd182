"""Accept-Encoding (RFC 9110, 12.5.3)."""

import pytest

from origin.content_coding import accepts_gzip


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.2", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("deflate,gzip , br", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip; q=0.0, br", False),
        ("gzip;q=0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("*;q=0, gzip", True),
        ("identity", False),
        ("identity;q=1, *;q=0", False),
        ("gzip;q=1.0", True),
        ("gzipped", False),
        ("x-gzip-like", False),
        ("br", False),
    ],
)
def test_gzip_is_used_only_if_accepted(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted
