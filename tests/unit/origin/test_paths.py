import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.paths import LivePath, Resource, parse_live_path

BROADCAST = "20261121t104105z-ab12cd"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/master.m3u8", LivePath("live/a/master.m3u8", Resource.MASTER, "a")),
        ("a/manifest.mpd", LivePath("live/a/manifest.mpd", Resource.MANIFEST, "a")),
        (
            f"a/{BROADCAST}/master.m3u8",
            LivePath(f"live/a/{BROADCAST}/master.m3u8", Resource.MASTER, "a", BROADCAST),
        ),
        (
            f"a/{BROADCAST}/v480p/media.m3u8",
            LivePath(f"live/a/{BROADCAST}/v480p/media.m3u8", Resource.PLAYLIST, "a", BROADCAST, "v480p"),
        ),
        (
            f"a/{BROADCAST}/v480p/recording.m3u8",
            LivePath(f"live/a/{BROADCAST}/v480p/recording.m3u8", Resource.RECORDING, "a", BROADCAST, "v480p"),
        ),
        (
            f"a/{BROADCAST}/v480p/init-1.mp4",
            LivePath(f"live/a/{BROADCAST}/v480p/init-1.mp4", Resource.INIT, "a", BROADCAST, "v480p", 1),
        ),
        (
            f"a/{BROADCAST}/v480p/17.m4s",
            LivePath(f"live/a/{BROADCAST}/v480p/17.m4s", Resource.SEGMENT, "a", BROADCAST, "v480p", 17),
        ),
        (
            f"a/{BROADCAST}/v480p/17.3.m4s",
            LivePath(f"live/a/{BROADCAST}/v480p/17.3.m4s", Resource.PART, "a", BROADCAST, "v480p", 17, 3),
        ),
    ],
)
def test_every_valid_path_is_parsed(path: str, expected: LivePath) -> None:
    assert parse_live_path(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "a/",
        "A/master.m3u8",
        "a/other.m3u8",
        "../catalogue/streams/a.json",
        f"a/{BROADCAST}",
        f"a/{BROADCAST}/v480p",
        f"a/{BROADCAST}/../x",
        f"a/{BROADCAST}/v480p/017.m4s",
        f"a/{BROADCAST}/v480p/-1.m4s",
        f"a/{BROADCAST}/v480p/1e3.m4s",
        f"a/{BROADCAST}/v480p/{'9' * 30}.m4s",
        f"a/{BROADCAST}/v480p/1.2.3.m4s",
        f"a/{BROADCAST}/v480p/media.m3u8/x",
        "a/yesterday/master.m3u8",
    ],
)
def test_any_other_path_is_none(path: str) -> None:
    assert parse_live_path(path) is None


@given(st.text())
def test_no_path_raises(path: str) -> None:
    parsed = parse_live_path(path)
    assert parsed is None or parsed.key == f"live/{path}"
