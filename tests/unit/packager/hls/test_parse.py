"""Rendered playlists round-trip through the parser; any other text raises only declared errors."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packager.hls import (
    AudioRendition,
    MediaPlaylist,
    MediaSegment,
    MultivariantPlaylist,
    OpenSegment,
    PartialSegment,
    PlaylistType,
    PreloadHint,
    RenditionReport,
    ServerControl,
    StartPoint,
    Variant,
    VideoRange,
    parse,
    parse_media,
    parse_multivariant,
    render_media,
    render_multivariant,
)
from packager.hls.parsing import MAX_LINE_LENGTH
from packager.playlist_errors import MalformedPlaylist, PlaylistTooLong

names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12).filter(
    lambda text: '"' not in text
)
uris = names.filter(lambda text: text[0] != "#" and text == text.strip())
numbers = st.integers(0, 10**9)
durations = st.integers(0, 10**10)
times = st.integers(-(10**12), 10**14)
maps = st.none() | names


def optional(strategy: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
    return st.none() | strategy


parts = st.builds(
    PartialSegment,
    uri=names,
    duration_us=durations,
    independent=st.booleans(),
    gap=st.booleans(),
    byte_range=st.none() | st.tuples(numbers, numbers),
)


@st.composite
def media_playlists(draw: st.DrawFn) -> MediaPlaylist:
    init = draw(names)
    segments = st.builds(
        MediaSegment,
        uri=uris,
        duration_us=durations,
        map_uri=st.sampled_from((init, draw(names))),
        discontinuity=st.booleans(),
        program_date_time=optional(times),
        gap=st.booleans(),
        parts=st.lists(parts, max_size=2).map(tuple),
    )
    made = tuple(draw(st.lists(segments, max_size=4)))
    partials = st.builds(
        OpenSegment,
        parts=st.lists(parts, min_size=1, max_size=2).map(tuple),
        map_uri=st.just(init),
        discontinuity=st.booleans(),
        program_date_time=optional(times),
    )
    return MediaPlaylist(
        target_duration=draw(numbers),
        media_sequence=draw(numbers),
        segments=made,
        discontinuity_sequence=draw(numbers),
        independent_segments=draw(st.booleans()),
        playlist_type=draw(st.none() | st.sampled_from(PlaylistType)),
        ended=draw(st.booleans()),
        start=draw(st.none() | st.builds(StartPoint, times, st.booleans())),
        server_control=draw(
            st.none()
            | st.builds(
                ServerControl,
                st.booleans(),
                optional(durations),
                optional(durations),
                durations,
            )
        ),
        part_target_us=draw(optional(durations)),
        skipped_segments=draw(numbers),
        partial=draw(st.none() | partials),
        preload_hint=draw(st.none() | st.builds(PreloadHint, names, optional(numbers), optional(numbers))),
        rendition_reports=tuple(
            draw(st.lists(st.builds(RenditionReport, names, numbers, optional(numbers)), max_size=2))
        ),
    )


variants = st.builds(
    Variant,
    uri=uris,
    bandwidth=numbers,
    codecs=st.lists(st.sampled_from(("avc1.64001f", "mp4a.40.2", "mp4a.40.5")), max_size=2).map(tuple),
    average_bandwidth=optional(numbers),
    resolution=st.none() | st.tuples(st.integers(1, 99_999), st.integers(1, 99_999)),
    frame_rate=st.none() | st.integers(1, 10**6).map(lambda thousandths: Fraction(thousandths, 1000)),
    video_range=st.none() | st.sampled_from(VideoRange),
    audio=st.none() | names,
)
renditions = st.builds(
    AudioRendition,
    group_id=names,
    name=names,
    uri=st.none() | names,
    default=st.booleans(),
    autoselect=st.booleans(),
    language=st.none() | names,
    channels=st.none() | st.integers(1, 24),
)
multivariant_playlists = st.builds(
    MultivariantPlaylist,
    variants=st.lists(variants, min_size=1, max_size=3).map(tuple),
    audio=st.lists(renditions, max_size=3).map(tuple),
    independent_segments=st.booleans(),
    start=st.none() | st.builds(StartPoint, times, st.booleans()),
)


@settings(max_examples=150)
@given(media_playlists())
def test_media_playlists_round_trip(playlist: MediaPlaylist) -> None:
    text = render_media(playlist)
    assert parse_media(text) == playlist
    assert parse_media("\ufeff" + text.replace("\n", "\r\n")) == playlist


@settings(max_examples=100)
@given(multivariant_playlists)
def test_multivariant_playlists_round_trip(playlist: MultivariantPlaylist) -> None:
    assert parse(render_multivariant(playlist)) == playlist


LINES = (
    "#EXTINF:",
    "#EXT-X-PART:",
    "#EXT-X-MAP:",
    "#EXT-X-START:",
    "#EXT-X-PROGRAM-DATE-TIME:",
    "#EXT-X-STREAM-INF:",
    "#EXT-X-MEDIA:",
    "#EXT-X-SERVER-CONTROL:",
    "#EXT-X-PRELOAD-HINT:",
    "#EXT-X-RENDITION-REPORT:",
    "#EXT-X-SKIP:",
    "#EXT-X-PLAYLIST-TYPE:",
    "#EXT-X-TARGETDURATION:2",
    "#EXT-X-MEDIA-SEQUENCE:",
    "0.m4s",
)
VALUES = (
    "",
    "2.0,",
    "-1",
    "1e9",
    'URI="a"',
    "URI=a",
    'TYPE=PART,URI="',
    "TYPE=AUDIO",
    "BANDWIDTH=1",
    "9" * 30,
    "٣",
)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(VALUES) | st.text(max_size=20)), max_size=6))
def test_malformed_playlists_raise_only_declared_errors(lines: list[tuple[str, str]]) -> None:
    text = "\n".join(["#EXTM3U", *("".join(line) for line in lines)])
    for read in (parse, parse_media, parse_multivariant):
        try:
            playlist = read(text)
        except (MalformedPlaylist, PlaylistTooLong):
            continue
        assert isinstance(playlist, MediaPlaylist | MultivariantPlaylist)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("#EXTINF:2,\n0.m4s", "EXT-X-TARGETDURATION"),
        ("#EXT-X-TARGETDURATION:2\n0.m4s", "line 3: a URI line without EXTINF"),
        ("#EXT-X-TARGETDURATION:2\n#EXTINF:2,", "EXTINF without a URI"),
        ("#EXT-X-TARGETDURATION:two", "line 2: 'two' is not a whole number"),
        ("#EXT-X-MAP:URI=init.mp4", "line 2: URI is not quoted"),
        ('#EXT-X-PART:URI="0.m4s"', "line 2: DURATION is missing"),
        ('#EXT-X-MAP:URI="a",URI="b"', "line 2: bad attribute list"),
    ],
)
def test_error_text_has_the_line_and_the_fault(lines: str, words: str) -> None:
    with pytest.raises(MalformedPlaylist, match=words):
        parse_media(f"#EXTM3U\n{lines}\n")


def test_text_that_is_not_a_playlist_is_rejected() -> None:
    with pytest.raises(MalformedPlaylist, match="line 1"):
        parse("<html>")
    with pytest.raises(MalformedPlaylist, match="line 2: a URI line without EXT-X-STREAM-INF"):
        parse_multivariant("#EXTM3U\nmedia.m3u8\n")


def test_too_long_line_is_rejected() -> None:
    with pytest.raises(PlaylistTooLong):
        parse("#EXTM3U\n#" + "x" * MAX_LINE_LENGTH)


def test_too_long_playlist_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packager.hls.parsing.MAX_LENGTH", 100)
    with pytest.raises(PlaylistTooLong):
        parse("#EXTM3U\n" + "\n" * 100)


def test_unknown_tags_are_ignored() -> None:
    playlist = parse_media(
        "#EXTM3U\n#EXT-X-VERSION:6\n# a comment\n\n#EXT-X-TARGETDURATION:2\n#EXT-X-BITRATE:900\n"
        '#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="x"\n#EXTINF:2.0000005,a title\n0.m4s\n'
    )
    assert playlist == MediaPlaylist(2, segments=(MediaSegment("0.m4s", 2_000_001),))
