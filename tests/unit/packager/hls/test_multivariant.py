from fractions import Fraction

import pytest

from packager.hls import (
    AudioRendition,
    MultivariantPlaylist,
    StartPoint,
    Variant,
    VideoRange,
    render,
    render_multivariant,
)
from packager.hls.rendering import three_decimals
from packager.playlist_errors import UnrepresentableValue


def test_multivariant_playlist_renders_as_the_draft_specifies() -> None:
    playlist = MultivariantPlaylist(
        variants=(
            Variant(
                uri="v720p/media.m3u8",
                bandwidth=3_531_000,
                average_bandwidth=2_628_000,
                codecs=("avc1.64001f", "mp4a.40.2"),
                resolution=(1280, 720),
                frame_rate=Fraction(30_000, 1001),
                video_range=VideoRange.SDR,
                audio="a128k",
            ),
            Variant("a128k/media.m3u8", 131_000, ("mp4a.40.2",), audio="a128k"),
        ),
        audio=(
            AudioRendition(
                "a128k", "Sound, main", "a128k/media.m3u8", default=True, autoselect=True, language="en", channels=2
            ),
        ),
        independent_segments=True,
        start=StartPoint(0),
    )
    assert render(playlist) == (
        "#EXTM3U\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-START:TIME-OFFSET=0\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a128k",NAME="Sound, main",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="2",URI="a128k/media.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=3531000,AVERAGE-BANDWIDTH=2628000,CODECS="avc1.64001f,mp4a.40.2",'
        'RESOLUTION=1280x720,FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO="a128k"\n'
        "v720p/media.m3u8\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=131000,CODECS="mp4a.40.2",AUDIO="a128k"\n'
        "a128k/media.m3u8\n"
    )


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(30), "30.000"),
        (Fraction(60_000, 1001), "59.940"),
        (Fraction(24_000, 1001), "23.976"),
        (Fraction(25, 2), "12.500"),
        (Fraction(1999, 2000), "1.000"),
    ],
)
def test_frame_rates_have_three_decimals(rate: Fraction, text: str) -> None:
    assert three_decimals(rate) == text


def test_name_with_a_quote_is_rejected() -> None:
    rendition = AudioRendition("a", 'x",DEFAULT=YES,URI="https://elsewhere.example/')
    with pytest.raises(UnrepresentableValue):
        render_multivariant(MultivariantPlaylist((), (rendition,)))
