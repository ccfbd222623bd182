from packager.hls import MediaPlaylist, MediaSegment, OpenSegment, PartialSegment, delta, parse_media, render_media

SECOND = 1_000_000


def playlist(count: int, partial: OpenSegment | None = None) -> MediaPlaylist:
    segments = tuple(MediaSegment(f"{msn}.m4s", 2 * SECOND, "init-0.mp4") for msn in range(100, 100 + count))
    return MediaPlaylist(2, media_sequence=100, segments=segments, partial=partial)


def test_segments_past_the_skip_boundary_become_one_skip_tag() -> None:
    update = delta(playlist(10), 12 * SECOND)
    assert update.skipped_segments == 4
    text = render_media(update)
    assert "#EXT-X-VERSION:9\n" in text
    assert '#EXT-X-MEDIA-SEQUENCE:100\n#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n#EXT-X-MAP:URI="init-0.mp4"\n' in text
    assert [segment.uri for segment in parse_media(text).segments] == [f"{msn}.m4s" for msn in range(104, 110)]


def test_open_segment_counts_toward_the_skip_boundary() -> None:
    partial = OpenSegment((PartialSegment("110.0.m4s", SECOND), PartialSegment("110.1.m4s", SECOND)))
    assert delta(playlist(10, partial), 12 * SECOND).skipped_segments == 5


def test_segment_across_the_skip_boundary_is_kept() -> None:
    partial = OpenSegment((PartialSegment("110.0.m4s", SECOND),))
    assert delta(playlist(10, partial), 12 * SECOND).skipped_segments == 4


def test_playlist_with_nothing_to_skip_is_returned_unchanged() -> None:
    full = playlist(6)
    assert delta(full, 12 * SECOND) is full


def test_delta_of_a_delta_counts_all_skipped_segments() -> None:
    assert delta(delta(playlist(10), 16 * SECOND), 12 * SECOND) == delta(playlist(10), 12 * SECOND)
