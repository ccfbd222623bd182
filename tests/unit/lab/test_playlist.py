import gzip
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.viewers.playlist import MediaReader, PlaylistError, Position, decode, parse_media, parse_multivariant
from tests.unit.lab.fake_origin import BASE, MASTER, FakeOrigin, master

PATH = f"{BASE}/v720p/media.m3u8"


def test_a_media_playlist_is_parsed() -> None:
    origin = FakeOrigin(made=8)
    playlist = parse_media(origin.playlist("v720p"), PATH + "?_HLS_msn=11&_HLS_part=1")
    assert playlist.next == Position(11, 2)
    assert [part.position for part in playlist.parts] == [*(Position(10, n) for n in range(6)), (11, 0), (11, 1)]
    assert [part.independent for part in playlist.parts] == [True, *[False] * 5, True, False]
    assert playlist.parts[-1].path == f"{BASE}/v720p/11.1.m4s"
    assert playlist.parts[-1].duration_us == 333_000
    assert playlist.hint == f"{BASE}/v720p/11.2.m4s"
    assert playlist.map_path == f"{BASE}/v720p/init-0.mp4"
    assert playlist.reports == {f"{BASE}/{other}/media.m3u8": Position(11, 1) for other in ("v360p", "a128k")}
    assert playlist.can_block
    assert (playlist.can_skip_until_us, playlist.part_hold_back_us) == (12_000_000, 999_000)
    assert not playlist.ended


def test_a_delta_update_counts_skipped_segments() -> None:
    playlist = parse_media(FakeOrigin(made=14).playlist("v720p", skip=True), PATH)
    assert playlist.parts[0].position == Position(11, 0)
    assert playlist.next == Position(12, 2)
    assert playlist.map_path is None


def test_a_gap_is_a_position_without_media() -> None:
    text = '#EXTM3U\n#EXT-X-PART:DURATION=1,URI="0.0.m4s",GAP=YES\n#EXT-X-PART:DURATION=1,URI="0.1.m4s"\n'
    playlist = parse_media(text, PATH)
    assert [part.position for part in playlist.parts] == [Position(0, 1)]
    assert playlist.next == Position(0, 2)


def test_a_multivariant_playlist_is_parsed() -> None:
    playlist = parse_multivariant(master(), MASTER)
    assert playlist.video == (f"{BASE}/v720p/media.m3u8", f"{BASE}/v360p/media.m3u8")
    assert playlist.audio == f"{BASE}/a128k/media.m3u8"


@pytest.mark.parametrize(
    "text", ["", "<html>", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:x\n", "#EXTM3U\n#EXT-X-PART:URI=1\n"]
)
def test_an_invalid_playlist_is_refused(text: str) -> None:
    with pytest.raises(PlaylistError):
        parse_media(text, PATH)


def test_an_audio_only_broadcast_is_refused() -> None:
    with pytest.raises(PlaylistError, match="no video"):
        parse_multivariant("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n", MASTER)


def test_a_compressed_body_is_decoded() -> None:
    assert decode(gzip.compress(b"#EXTM3U")) == decode(b"#EXTM3U") == "#EXTM3U"
    for body in (gzip.compress(b"#EXTM3U")[:-4], b"\xff\xfe"):
        with pytest.raises(PlaylistError):
            decode(body)


def test_each_version_is_parsed_once() -> None:
    reader, body = MediaReader(keep=1), FakeOrigin().playlist("v720p").encode()
    first = reader.read(body, PATH + "?_HLS_msn=1&_HLS_part=2")
    assert reader.read(body, PATH) is first
    assert reader.read(body, PATH.replace("v720p", "v360p")) != first
    assert reader.read(body, PATH) is not first


LINES = st.sampled_from(FakeOrigin().playlist("v720p").splitlines())


@settings(max_examples=60)
@given(st.lists(st.one_of(LINES, st.text(max_size=30), LINES.map(lambda line: line[:-5])), max_size=20))
def test_only_the_declared_error_is_raised(lines: list[str]) -> None:
    text = "\n".join(["#EXTM3U", *lines])
    for parse in (parse_media, parse_multivariant):
        with suppress(PlaylistError):
            parse(text, PATH)
