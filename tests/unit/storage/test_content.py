import pytest

from media.names import init_name, part_name, segment_name, track_prefix
from storage.content import IMMUTABLE, PRIVATE, SHORT, cache_control, content_type, is_immutable

TRACK = track_prefix("studio-a", "20261121t104105z-ab12cd", "v720p")


@pytest.mark.parametrize(
    ("key", "expected_type", "expected_caching"),
    [
        ("live/studio-a/master.m3u8", "application/vnd.apple.mpegurl", SHORT),
        (f"{TRACK}/media.m3u8", "application/vnd.apple.mpegurl", SHORT),
        ("live/studio-a/manifest.mpd", "application/dash+xml", SHORT),
        (f"{TRACK}/{init_name(0)}", "video/mp4", IMMUTABLE),
        (f"{TRACK}/{segment_name(17)}", "video/iso.segment", IMMUTABLE),
        (f"{TRACK}/{part_name(17, 3)}", "video/iso.segment", IMMUTABLE),
        ("live/studio-a/thumbnail.jpg", "image/jpeg", SHORT),
        ("catalogue/streams/studio-a.json", "application/json", PRIVATE),
        ("live/other", "application/octet-stream", SHORT),
        ("live.m4s/other", "application/octet-stream", SHORT),
    ],
)
def test_type_and_caching_of_every_kind_of_key(key: str, expected_type: str, expected_caching: str) -> None:
    assert content_type(key) == expected_type
    assert cache_control(key) == expected_caching
    assert is_immutable(key) == (expected_caching == IMMUTABLE)
